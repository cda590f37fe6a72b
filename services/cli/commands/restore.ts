import { type Command, Option } from 'commander'

import { loadConfig } from '#config'
import { parseTime } from '#event-store'
import type { RestoreControl, RestoreRequest } from '#operations'

import { count } from '../arguments.ts'
import type { Cli, Report } from '../cli.ts'
import { CommandError, failureOf, withRightsAdvice } from '../failure.ts'
import { runJob } from '../run-job.ts'
import { verifyReport } from './verify.ts'

interface RestoreCommandOptions {
  readonly at?: string
  readonly until?: number
  readonly replication?: number
  readonly dryRun?: boolean
  readonly verify?: boolean
}

const help = `
Into a cluster that has none of the events: topics that hold records are refused. Services must be stopped, and none starts until it is done. The
backup is checked first; topics and schemas are made, events written with the keys, headers and times that they had, read back and compared. Ctrl-C
or a crash loses nothing: the same command goes on. Offsets may be others than before. Index, snapshots and projections are made anew by the services
when they start. docs/operations/backup.md tells what to do before and after.

Examples:
  annals restore /backups/shop --dry-run
  annals restore /backups/shop --verify
  annals restore /backups/shop --at 20261121T101500.123Z-incremental
  annals restore /backups/shop --until 2026-11-21T10:00:00Z --replication 1`

export function addRestore(program: Command, cli: Cli): void {
  program
    .command('restore')
    .description('Restore a backup into an empty cluster.')
    .argument('<folder>', 'of backups')
    .addOption(
      new Option(
        '--at <backup>',
        'restore what there was at this backup; the last one unless told',
      ).conflicts('until'),
    )
    .addOption(
      new Option('--until <time>', 'restore the last backup that was finished by then: ISO 8601').argParser(
        (text) => parseTime(text, '--until'),
      ),
    )
    .addOption(
      new Option(
        '--replication <count>',
        'copies of each partition; as many as there were unless told',
      ).argParser(count('--replication', 1, 100)),
    )
    .option('--dry-run', 'check the backup and the cluster, and change nothing')
    .option('--verify', 'compare streams afterwards, as `annals verify` does')
    .addHelpText('after', help)
    .action(async (folder: string, options: RestoreCommandOptions) =>
      cli.report(await run(cli, folder, options)),
    )
}

function requestOf(folder: string, options: RestoreCommandOptions): RestoreRequest {
  const { at, until, replication, dryRun } = options
  return {
    folder,
    point: { ...(at !== undefined && { at }), ...(until !== undefined && { untilMs: until }) },
    ...(replication !== undefined && { replication }),
    isDryRun: dryRun === true,
  }
}

async function run(cli: Cli, folder: string, options: RestoreCommandOptions): Promise<Report> {
  const request = requestOf(folder, options)
  const config = loadConfig(cli.env)
  // Loaded only here: the clients of Kafka would make every other command start in twice the time.
  const [{ logOpener, runRestore }, { restoreReport }] = await Promise.all([
    import('#operations'),
    import('../reports/restore-report.ts'),
  ])
  const openLog = logOpener(config)
  const end = await runJob(cli, (control: RestoreControl) => runRestore({ openLog }, request, control)).catch(
    (error: unknown) => {
      throw withAdvice(withRightsAdvice(error, 'docs/operations/backup.md tells which rights it takes'))
    },
  )
  const report = restoreReport(end)
  if (options.verify !== true || end.status !== 'restored') return report
  // Index, snapshots and projections are not there before the services have been.
  const verified = await verifyReport(cli, [], ['log'], { seed: '', findingsMax: 100 })
  return {
    document: { ...report.document, verification: verified.document },
    text: `${report.text}\n${verified.text}`,
    exitCode: verified.exitCode ?? 0,
  }
}

/** A restore that failed on the way is resumed by the same command. */
function withAdvice(error: unknown): unknown {
  const { message, exitCode, ...failure } = failureOf(error)
  if (exitCode !== 3 && exitCode !== 4) return error
  const advice = 'Once that is mended run the same command again: it goes on where it was'
  return new CommandError({ ...failure, exitCode, message: `${message}. ${advice}` }, { cause: error })
}
