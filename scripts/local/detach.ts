import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  describe,
  makePrivateFolder,
  privateFileMode,
  type Report,
  StackError,
  type StackFolders,
} from '../stack/index.ts'
import type { StackState } from './state.ts'

/** Messages of a detached supervisor to the command that started it. */
export type DetachedMessage =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'ready'; readonly state: StackState }
  | { readonly kind: 'failed'; readonly message: string; readonly exitCode: 1 | 2 }

const supervisorFile = fileURLToPath(new URL('detached.ts', import.meta.url))

/**
 * Starts a supervisor that outlives this process, forwards its reports, and returns when it is ready. Ctrl-C in the
 * meantime makes it stop what it started and exit.
 * @throws StackError when it cannot start; nothing is left running then
 */
export function startDetached(
  args: readonly string[],
  folders: StackFolders,
  report: Report,
): Promise<StackState> {
  makePrivateFolder(folders.logs)
  const log = openSync(join(folders.logs, 'supervisor.log'), 'a', privateFileMode)
  const child = spawn(process.execPath, [supervisorFile, ...args], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  })
  closeSync(log)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      reject(new StackError(`The supervisor ended while starting (${describe({ code, signal })})`))
    })
    child.on('message', (received) => {
      const message = received as DetachedMessage
      if (message.kind === 'line') report(message.line)
      else if (message.kind === 'failed') reject(new StackError(message.message, message.exitCode))
      else {
        child.disconnect()
        child.unref()
        resolve(message.state)
      }
    })
  })
}
