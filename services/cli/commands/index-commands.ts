import type { Command } from 'commander'

import { loadConfig } from '#config'
import type { DirectAct, JobControl } from '#operations'

import { checkYes } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { runJob } from '../run-job.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'
import { verifyReport, withLimits } from './verify.ts'

const verifyHelp = `
The index in Redis holds versions, offsets and recent events of the log. \`index rebuild\` rebuilds it from the log.

Examples:
  annals index verify
  annals index verify customer --json`

const rebuildHelp = `
Drops the index of each partition; the owner of the partition rebuilds it from the log immediately. The writer at --url forwards the request to it.
Meanwhile appends to the partition and reads of it wait or are rejected with a retry; nothing is lost. Snapshots in Redis are dropped too and are
rebuilt from their streams. Ctrl-C stops between two partitions, never the rebuild of one.

If the first events of a log were deleted (retention, DeleteRecords), its index cannot be rebuilt completely, and nothing is dropped. Restore a
backup; or, with --accept-deleted-events, serve what is left: appends continue, and deleted versions are answered with events-deleted.
docs/operations/failover.md describes both.

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
    .description('Verify or rebuild the index of the log in Redis.')
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
      .argument('[aggregateType...]', 'aggregate types; default: all'),
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
    .argument('[aggregateType...]', 'aggregate types; default: all')
    .option('--accept-deleted-events', 'if the head of a log was deleted, serve what is left, permanently')
    .option('--yes', 'confirm')
    .addHelpText('after', rebuildHelp)
    .action(async (types: readonly string[], options: RebuildOptions) => {
      checkYes(options, actionOf(types, options))
      cli.report(await rebuild(cli, types, options))
    })
  withWriterOption(command, cli)
}

async function rebuild(cli: Cli, types: readonly string[], options: RebuildOptions): Promise<CommandReport> {
  const [{ audited, rebuildIndex }, { rebuildReport }, { withConnections }] = await Promise.all([
    import('#operations'),
    import('../reports/index-rebuild-report.ts'),
    import('#service'),
  ])
  const config = loadConfig(cli.env)
  const request = { types, acceptsDeletedEvents: options.acceptDeletedEvents === true }
  const rebuilt = await runJob(cli, (control: JobControl<'rebuilding'>) => {
    const work = () =>
      withClient(
        options,
        (client) =>
          withConnections(
            config,
            (connections) => rebuildIndex(config, { ...connections, client }, request, control),
            control.signal,
          ),
        control,
      )
    return audited(config, actOf(types, request), work, control)
  })
  return rebuildReport(rebuilt)
}

const actOf = (
  types: readonly string[],
  { acceptsDeletedEvents }: { readonly acceptsDeletedEvents: boolean },
): DirectAct => ({
  ...{ type: 'annals.index.rebuilt', operation: 'annals index rebuild' },
  resource: types.length === 1 ? `${types.join()}.*` : '*.*',
  details: { acceptsDeletedEvents, ...(types.length > 1 && { types: types.join(', ') }) },
})

function actionOf(types: readonly string[], { acceptDeletedEvents }: RebuildOptions): string {
  const what = `drop the index of ${types.join(', ') || 'all aggregate types'} and rebuild it`
  return acceptDeletedEvents === true ? `${what}, and accept that deleted events are lost` : what
}
