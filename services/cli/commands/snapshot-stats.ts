import type { Command } from 'commander'

import type { SnapshotRebuild, SnapshotStatistics } from '#event-store'

import type { Cli, CommandReport } from '../cli.ts'
import { grouped, progressText } from '../progress/progress-text.ts'
import { table } from '../table.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

const notes = `
Counts come from the topics and may be ten seconds old. Build times are those of the instance that answers, since its start.

Example:
  annals snapshot stats`

export function addSnapshotStats(snapshot: Command, cli: Cli): void {
  const command = snapshot
    .command('stats')
    .description('Show number, size, age and build times of snapshots.')
    .addHelpText('after', notes)
    .action(async (options: WriterOption) => {
      cli.report(reportOf(await withClient(options, (client) => client.snapshots())))
    })
  withWriterOption(command, cli, 'snapshotter')
}

const reportOf = (types: readonly SnapshotStatistics[]): CommandReport => ({
  document: { types },
  text: types.length === 0 ? 'No aggregate has snapshots' : statisticsTable(types),
})

const head = ['type', 'every', 'snapshots', 'outdated', 'bytes', 'oldest', 'newest', 'mean build', 'rebuild']

const statisticsTable = (types: readonly SnapshotStatistics[]): string =>
  table(
    head,
    types.map(({ aggregateType, every, count, outdated, bytes, oldest, newest, builds, rebuild }) => [
      aggregateType,
      every,
      grouped(count),
      grouped(outdated),
      grouped(bytes),
      oldest ?? '',
      newest ?? '',
      builds.count === 0 ? '' : `${builds.meanMs} ms`,
      rebuildText(rebuild),
    ]),
  )

const rebuildText = (rebuild: SnapshotRebuild): string =>
  rebuild.status === 'running' ? progressText(rebuild) : rebuild.status
