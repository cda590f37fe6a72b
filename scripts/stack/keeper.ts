/**
 * The keeper is a process that runs servers on behalf of its parent and outlives it only long enough to end them. The
 * channel to the parent closes however the parent ends, SIGKILL included, so no server is left behind. It runs
 * detached, so Ctrl-C reaches only the parent, which then stops the servers in order.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { KeeperReply, KeeperRequest } from './keeper-protocol.ts'

// Files that servers write are private to this user.
process.umask(0o077)

const graceMs = 8000
const servers = new Set<ChildProcess>()

function reply(message: KeeperReply): void {
  if (process.connected) process.send?.(message)
}

function run(request: KeeperRequest): void {
  const { id, command, args, cwd, env, user, logFile } = request
  const log = openSync(logFile, 'a')
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    ...user,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  servers.add(child)
  child.once('error', (error) => {
    servers.delete(child)
    reply({ id, event: 'failed', message: error.message })
    leaveWhenDone()
  })
  child.once('spawn', () => reply({ id, event: 'started', pid: child.pid ?? 0 }))
  child.once('exit', (code, signal) => {
    servers.delete(child)
    reply({ id, event: 'exited', code, signal })
    leaveWhenDone()
  })
}

function leaveWhenDone(): void {
  if (!process.connected && servers.size === 0) process.exit()
}

function endAll(): void {
  for (const server of servers) {
    server.kill('SIGTERM')
    // A server that a test has frozen must be resumed to handle SIGTERM.
    server.kill('SIGCONT')
  }
  setTimeout(() => servers.forEach((server) => server.kill('SIGKILL')), graceMs)
  leaveWhenDone()
}

process.on('SIGINT', () => undefined)
process.on('SIGHUP', () => undefined)
process.on('disconnect', endAll)
process.on('message', (request) => {
  try {
    run(request as KeeperRequest)
  } catch (error) {
    reply({ id: (request as KeeperRequest).id, event: 'failed', message: String(error) })
  }
})
