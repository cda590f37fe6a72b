import type { Command } from 'commander'

import type { SnapshotCleanup, SnapshotTaken } from '#event-store'

import { checkYes } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { grouped } from '../progress/progress-text.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'
import { addSnapshotRebuild } from './snapshot-rebuild.ts'
import { addSnapshotStats } from './snapshot-stats.ts'

interface CleanupOptions extends WriterOption {
  readonly yes?: boolean
}

const cleanupHelp = `
Removes snapshots whose state version is not that of the aggregate: they are never used. Snapshotters also remove them,
at the interval ANNALS_SNAPSHOTTER_CLEANUP_INTERVAL.

Example:
  annals snapshot cleanup customer --yes`

export function addSnapshot(program: Command, cli: Cli): void {
  const snapshot = program
    .command('snapshot')
    .description('Take, rebuild and inspect snapshots of aggregates.')
  addTake(snapshot, cli)
  addSnapshotStats(snapshot, cli)
  addSnapshotRebuild(snapshot, cli)
  addCleanup(snapshot, cli)
}

function addTake(snapshot: Command, cli: Cli): void {
  const command = snapshot
    .command('take')
    .description('Take a snapshot of a stream now.')
    .argument('<streamId>', '{aggregateType}.{aggregateId}')
    .addHelpText('after', '\nExample:\n  annals snapshot take customer.c-1')
    .action(async (streamId: string, options: WriterOption) => {
      cli.report(taken(await withClient(options, (client) => client.snapshot(streamId))))
    })
  withWriterOption(command, cli, 'snapshotter')
}

function addCleanup(snapshot: Command, cli: Cli): void {
  const command = snapshot
    .command('cleanup')
    .description('Remove snapshots of other state versions from their topic.')
    .argument('<type>', 'aggregate type')
    .option('--yes', 'confirm')
    .addHelpText('after', cleanupHelp)
    .action(async (type: string, options: CleanupOptions) => {
      checkYes(options, `remove outdated snapshots of ${type} from their topic`)
      cli.report(cleanedUp(await withClient(options, (client) => client.cleanUpSnapshots(type))))
    })
  withWriterOption(command, cli, 'snapshotter')
}

const taken = (snapshot: SnapshotTaken): CommandReport => {
  const { streamId, version, bytes, tookMs, created } = snapshot
  return {
    document: snapshot,
    text: created
      ? `Snapshot of ${streamId} taken at version ${version}: ${grouped(bytes)} bytes, in ${tookMs} ms`
      : `${streamId} already has a snapshot at version ${version}: ${grouped(bytes)} bytes`,
  }
}

const cleanedUp = (cleanup: SnapshotCleanup): CommandReport => ({
  document: cleanup,
  text: `${grouped(cleanup.removed)} outdated snapshots of ${cleanup.aggregateType} removed`,
})
