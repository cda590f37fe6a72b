import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isAlive } from './is-alive.ts'
import { type ServerOptions, startServer } from './server.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'annals-server-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

/** A shell script as a server, healthy once it has written `up`. */
function script(text: string): ServerOptions {
  const logFile = join(cwd, 'server.log')
  const healthy = () => Promise.resolve(readFileSync(logFile, 'utf8').includes('up'))
  return { name: 'Teapot', command: 'sh', args: ['-c', text], cwd, logFile, healthy }
}

test('a server is started, identified by its pid and ended by stop', async () => {
  const server = await startServer(script('echo up; exec sleep 60'))
  expect(isAlive(server.pid)).toBe(true)
  await server.stop()
  expect(isAlive(server.pid)).toBe(false)
  expect(await server.exited).toEqual({ code: null, signal: 'SIGTERM' })
})

test('a frozen server is ended as well', async () => {
  const server = await startServer(script('echo up; exec sleep 60'))
  server.kill('SIGSTOP')
  await server.stop()
  expect(isAlive(server.pid)).toBe(false)
})

test('a server that exits while starting is reported with its exit and the end of its log', async () => {
  const started = startServer(script('echo boiling; echo no tea >&2; exit 3'))
  await expect(started).rejects.toThrow(/Teapot ended while starting \(exit code 3\)[^]*boiling\n\s+no tea/)
})

test('a missing program is named', async () => {
  const started = startServer({ ...script(''), command: 'no-such-program' })
  await expect(started).rejects.toThrow('Cannot run no-such-program')
})

test('the log of the previous run is kept next to the new one', async () => {
  for (const word of ['first', 'second'])
    await (await startServer(script(`echo up ${word}; exec sleep 60`))).stop()
  expect(readFileSync(join(cwd, 'server.log'), 'utf8')).toContain('second')
  expect(readFileSync(join(cwd, 'server.log.previous'), 'utf8')).toContain('first')
})
