import { join, relative } from 'node:path'
import type { StackFolders } from '../stack/index.ts'
import { startDetached } from './detach.ts'
import { overview } from './overview.ts'
import { runMain } from './run-main.ts'
import { assertHealthy, findStarted } from './running.ts'
import { readSettings, startHelp, type StackSettings } from './settings.ts'
import type { StackState } from './state.ts'
import { supervise } from './supervisor.ts'

const report = (line: string) => console.log(line)

await runMain(async () => {
  const args = process.argv.slice(2)
  const settings = readSettings(args, process.env)
  if (settings === undefined) {
    console.log(startHelp)
    return
  }
  const running = await findStarted(settings.folders, report)
  if (running !== undefined) {
    assertHealthy(running, settings.folders)
    report(`Already running (${running.state.kind}, since ${running.state.startedAt}):`)
    show(running.state, settings)
  } else if (settings.detach) {
    const startedAt = performance.now()
    show(await startDetached(args, settings.folders, report), settings)
    report(`Ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`)
  } else {
    await supervise(settings, report, (state) => {
      show(state, settings)
      report('Ctrl-C stops it.')
    })
  }
})

function show(state: StackState, { folders }: StackSettings): void {
  for (const line of overview(state, shortened(folders))) report(line)
}

function shortened({ logs }: StackFolders): string {
  const short = relative(process.cwd(), logs)
  return short.startsWith('..') ? logs : join('.', short)
}
