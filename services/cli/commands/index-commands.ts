import type { Command } from 'commander'

import { loadConfig } from '#config'
import type { JobControl } from '#operations'

import { checkYes } from '../arguments.ts'
import type { Cli, Report } from '../cli.ts'
import { runJob } from '../run-job.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'
import { verifyReport, withLimits } from './verify.ts'

const verifyHelp = `
The index is what Redis holds of the log: versions, offsets, recent events. It can always be made anew from the log: \`index rebuild\`.

Examples:
  annals index verify
  annals index verify customer --json`

const rebuildHelp = `
The index of each partition is dropped, and its owner makes it anew from the log at once; the writer of --url is asked to pass that on.
Meanwhile appends to the partition and reads of it wait, or are told to come back; nothing is lost. Snapshots in Redis go, too, and
come back from their streams. Ctrl-C stops between two partitions, never the rebuild of one.

A log whose first events were deleted (retention, DeleteRecords) cannot be rebuilt whole, and nothing is dropped then. Restore a backup; or, with
--accept-deleted-events, serve what is left: appends go on, and deleted versions are answered with events-deleted. docs/operations/failover.md tells more.

Examples:
  annals index rebuild --yes
  annals index rebuild customer --yes --url http://writer-1:7400
  annals index rebuild customer --accept-deleted-events --yes`

interface VerifyOptions {
  readonly sample?: number
  readonly seed: string
  readonly findingsMax: number
}

interface RebuildOptions extends WriterOption {
  readonly acceptDeletedEvents?: boolean
  readonly yes?: boolean
}

export function addIndex(program: Command, cli: Cli): void {
  const index = program
    .command('index')
    .description('Look after what Redis holds of the log.')
    .addHelpText(
      'after',
      `
Examples:
  annals index verify
  annals index rebuild customer --yes`,
    )
  addVerify(index, cli)
  addRebuild(index, cli)
}

function addVerify(index: Command, cli: Cli): void {
  withLimits(
    index
      .command('verify')
      .description('Compare the index with the log.')
      .argument('[aggregateType...]', 'which; all where none is named'),
  )
    .addHelpText('after', verifyHelp)
    .action(async (types: readonly string[], options: VerifyOptions) => {
      cli.report(await verifyReport(cli, types, ['index'], options))
    })
}

function addRebuild(index: Command, cli: Cli): void {
  const command = index
    .command('rebuild')
    .description('Drop the index and let the writers rebuild it from the log.')
    .argument('[aggregateType...]', 'which; all where none is named')
    .option('--accept-deleted-events', 'where the head of a log was deleted, serve what is left, for good')
    .option('--yes', 'do it')
    .addHelpText('after', rebuildHelp)
    .action(async (types: readonly string[], options: RebuildOptions) => {
      checkYes(options, undertaking(types, options))
      cli.report(await rebuild(cli, types, options))
    })
  withWriterOption(command, cli)
}

async function rebuild(cli: Cli, types: readonly string[], options: RebuildOptions): Promise<Report> {
  const [{ rebuildIndex }, { rebuildReport }, { withConnections }] = await Promise.all([
    import('#operations'),
    import('../reports/index-rebuild-report.ts'),
    import('#service'),
  ])
  const config = loadConfig(cli.env)
  const request = { types, acceptsDeletedEvents: options.acceptDeletedEvents === true }
  const rebuilt = await runJob(cli, (control: JobControl<'rebuilding'>) =>
    withClient(options, (client) =>
      withConnections(config, (connections) =>
        rebuildIndex(config, { ...connections, client }, request, control),
      ),
    ),
  )
  return rebuildReport(rebuilt)
}

function undertaking(types: readonly string[], { acceptDeletedEvents }: RebuildOptions): string {
  const what = `drop the index of ${types.join(', ') || 'all aggregate types'} and rebuild it`
  return acceptDeletedEvents === true ? `${what}, and accept that deleted events are gone for good` : what
}
