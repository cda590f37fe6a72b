import type { Command } from 'commander'

import { pause } from '#async'
import type { AnnalsClient } from '#client'
import type { SnapshotRebuild } from '#event-store'

import type { Cli, CommandReport } from '../cli.ts'
import { noDisplay, type ProgressDisplay, progressDisplay } from '../progress/progress-display.ts'
import { progressText } from '../progress/progress-text.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

interface RebuildOptions extends WriterOption {
  /** False by --no-wait. */
  readonly wait: boolean
}

const help = `
Takes a new snapshot of every stream that is long enough, folded from its events alone. Meanwhile loads use the old
snapshots. Ctrl-C stops watching, never the rebuild.

Examples:
  annals snapshot rebuild customer
  annals snapshot rebuild customer --no-wait`

/** The time between two requests. */
const intervalMs = 500

export function addSnapshotRebuild(snapshot: Command, cli: Cli): void {
  const command = snapshot
    .command('rebuild')
    .description('Rebuild all snapshots of an aggregate type, and show the progress.')
    .argument('<type>', 'aggregate type')
    .option('--no-wait', 'do not wait for the rebuild')
    .addHelpText('after', help)
    .action(async (type: string, options: RebuildOptions) => {
      cli.report(await withClient(options, (client) => rebuild(client, cli, type, options)))
    })
  withWriterOption(command, cli, 'snapshotter')
}

async function rebuild(
  client: AnnalsClient,
  { isJson }: Cli,
  type: string,
  { wait }: RebuildOptions,
): Promise<CommandReport> {
  const begun = await client.rebuildSnapshots(type)
  if (!wait) {
    const text = `The rebuild of the snapshots of ${type} has started. \`annals snapshot stats\` shows its progress`
    return { document: { aggregateType: type, ...begun }, text }
  }
  const display = isJson ? noDisplay : progressDisplay(process.stderr)
  return ended(type, await watched(client, type, begun, display))
}

/** A second Ctrl-C ends the process. */
async function watched(
  client: AnnalsClient,
  type: string,
  begun: SnapshotRebuild,
  display: ProgressDisplay,
): Promise<SnapshotRebuild> {
  const leaving = new AbortController()
  const leave = () => leaving.abort()
  process.once('SIGINT', leave)
  try {
    let last = begun
    while (last.status === 'running' && !leaving.signal.aborted) {
      display.show(last)
      await pause(intervalMs, leaving.signal)
      last = await client.snapshotRebuild(type)
    }
    display.show(last)
    return last
  } finally {
    display.end()
    process.removeListener('SIGINT', leave)
  }
}

function ended(type: string, last: SnapshotRebuild): CommandReport {
  const document = { aggregateType: type, ...last }
  if (last.status === 'done') return { document, text: `The snapshots of ${type} are rebuilt` }
  if (last.status === 'running') {
    const text = `The rebuild of the snapshots of ${type} continues: ${progressText(last)}`
    return { document, text, exitCode: 130 }
  }
  const text = `Redis was emptied during the rebuild: all snapshots of ${type} are being rebuilt anyway`
  return { document, text }
}
