import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { homeFrom, isAlive, StackError, type StackFolders, stackFolders, until } from '../stack/index.ts'
import { askToStop } from './control.ts'
import { composeDown } from './docker.ts'
import { runMain } from './run-main.ts'
import { findRunning } from './running.ts'
import { readSettings } from './settings.ts'
import { livePids, readState } from './state.ts'

const endMsMax = 15_000
const report = (line: string) => console.log(line)
const stopHelp = `Usage: ./scripts/stop.sh [--purge]

Stops the stack that ./scripts/start.sh started and waits until every server has ended.

  --purge   also delete its data; downloads are kept
  --help    this text

Environment: ANNALS_HOME, as for ./scripts/start.sh`

await runMain(async () => {
  const { help, purge } = parseStrictly()
  if (help) {
    report(stopHelp)
    return
  }
  const folders = stackFolders(homeFrom(process.env))
  const last = readState(folders)
  await stop(folders)
  if (last?.kind === 'docker') await removeContainers(purge)
  if (!purge) return
  rmSync(folders.data, { recursive: true, force: true })
  report(`Deleted ${folders.data}`)
})

function parseStrictly() {
  const options = {
    help: { type: 'boolean', short: 'h', default: false },
    purge: { type: 'boolean', default: false },
  } as const
  try {
    return parseArgs({ options }).values
  } catch (error) {
    throw new StackError(`${(error as Error).message}\nSee ./scripts/stop.sh --help`, 2)
  }
}

async function stop(folders: StackFolders): Promise<void> {
  const running = await findRunning(folders, report)
  if (running === undefined) {
    report('Nothing is running.')
    return
  }
  report('Stopping…')
  const { state } = running
  await askToStop(state)
  const alive = () => [state.supervisorPid, ...livePids(state)].filter(isAlive)
  await until('Every process of the stack ends', endMsMax, () => alive().length === 0)
  const others = state.kind === 'docker' ? [] : state.parts.filter(({ pids }) => pids.length === 0)
  const names = state.parts.filter((part) => !others.includes(part)).map(({ name }) => name)
  if (names.length > 0) report(`Stopped: ${names.join(', ')}.`)
  if (others.length > 0)
    report(`Not stopped, because they are managed elsewhere: ${others.map(({ name }) => name).join(', ')}.`)
}

/** A killed supervisor leaves its containers running, and their volumes can only be removed here. */
async function removeContainers(purge: boolean): Promise<void> {
  const settings = readSettings([], process.env)
  if (settings !== undefined) await composeDown(settings, purge)
}
