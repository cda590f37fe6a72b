import { type Report, type StackFolders, StackError, until } from '../stack/index.ts'
import { askStatus, type Status } from './control.ts'
import { livePids, readState, removeState, type StackState } from './state.ts'

const startMsMax = 1_200_000
const endMsMax = 15_000

/** The running stack of these folders: its state, and its reported status. */
interface RunningStack {
  readonly state: StackState
  readonly status: Status
}

/**
 * The stack that runs in these folders, or undefined. If its supervisor was killed, its leftovers are removed once the
 * keeper has ended its servers.
 */
export async function findRunning(folders: StackFolders, report: Report): Promise<RunningStack | undefined> {
  const state = readState(folders)
  if (state === undefined) return undefined
  const status = await askStatus(state)
  if (status !== undefined) return { state, status }
  report(`The supervisor of ${state.startedAt} (pid ${state.supervisorPid}) is gone; cleaning up`)
  await until('its servers end', endMsMax, () => livePids(state).length === 0).catch((error: unknown) => {
    report((error as Error).message)
  })
  removeState(folders)
  return undefined
}

/** Like {@link findRunning}, but waits for a start in progress to finish or fail. */
export async function findStarted(folders: StackFolders, report: Report): Promise<RunningStack | undefined> {
  const found = await findRunning(folders, report)
  if (found === undefined || found.state.ready) return found
  report('Another start is in progress; waiting for it')
  await until('the other start', startMsMax, () => readState(folders)?.ready !== false)
  return findRunning(folders, report)
}

/** @throws StackError that names the unhealthy parts, if any */
export function assertHealthy({ status }: RunningStack, { logs }: StackFolders): void {
  if (status.unhealthy.length === 0) return
  throw new StackError(
    `The stack runs, but ${status.unhealthy.join(' and ')} does not answer. Logs are in ${logs}; ./scripts/stop.sh stops the stack.`,
  )
}
