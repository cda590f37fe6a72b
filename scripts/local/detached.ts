import { StackError } from '../stack/index.ts'
import type { DetachedMessage } from './detach.ts'
import { readSettings } from './settings.ts'
import { supervise } from './supervisor.ts'

/** The supervisor that `start.sh --detach` leaves behind. */
const settings = readSettings(process.argv.slice(2), process.env)
if (settings === undefined) throw new Error('start.ts handles --help itself')

try {
  await supervise(settings, report, (state) => tell({ kind: 'ready', state }))
} catch (error) {
  const message = error instanceof StackError ? error.message : String((error as Error).stack)
  console.error(message)
  tell({ kind: 'failed', message, exitCode: error instanceof StackError ? error.exitCode : 1 })
  process.exitCode = 1
}
// The command that started this process may have ended or stopped listening.
if (process.connected) process.disconnect()

function report(line: string): void {
  console.log(`${new Date().toISOString()} ${line}`)
  tell({ kind: 'line', line })
}

function tell(message: DetachedMessage): void {
  if (process.connected) process.send?.(message)
}
