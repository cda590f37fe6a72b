import { type Command, Option } from 'commander'

import { loadConfig } from '#config'
import { parseTime } from '#event-store'
import type { DirectAct, RestoreControl, RestoreRequest } from '#operations'

import { wholeNumber } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { CommandError, failureOf } from '../failure.ts'
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
The cluster must contain none of the events: topics that hold records are rejected. Stop all services first; none starts until the restore is done.
The backup is checked first. Then topics and schemas are created, and events are written with their original keys, headers and times, read back and
compared. After Ctrl-C or a crash the same command resumes. Offsets can change. Services rebuild index, snapshots and projections when they start.
docs/operations/backup.md describes what to do before and after.

Examples:
  annals restore /backups/shop --dry-run
  annals restore /backups/shop --verify
  annals restore /backups/shop --at 20261121T101500.123Z-incremental
  annals restore /backups/shop --until 2026-11-21T10:00:00Z --replication 1`

export function addRestore(program: Command, cli: Cli): void {
  program
    .command('restore')
    .description('Restore a backup into an empty cluster.')
    .argument('<folder>', 'folder of backups')
    .addOption(
      new Option('--at <backup>', 'restore this backup with its chain; default: the last one').conflicts(
        'until',
      ),
    )
    .addOption(
      new Option('--until <time>', 'restore the last backup that finished by this time, ISO 8601').argParser(
        (text) => parseTime(text, '--until'),
      ),
    )
    .addOption(
      new Option(
        '--replication <count>',
        'copies of each partition; default: as many as in the backup',
      ).argParser(wholeNumber('--replication', 1, 100)),
    )
    .option('--dry-run', 'check the backup and the cluster, change nothing')
    .option('--verify', 'verify all streams afterwards, as `annals verify` does')
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

async function run(cli: Cli, folder: string, options: RestoreCommandOptions): Promise<CommandReport> {
  const request = requestOf(folder, options)
  const config = loadConfig(cli.env)
  // Loaded here only: the Kafka clients would double the start time of every other command.
  const [{ audited, logOpener, runRestore }, { restoreReport }] = await Promise.all([
    import('#operations'),
    import('../reports/restore-report.ts'),
  ])
  const openLog = logOpener(config)
  const act: DirectAct = {
    ...{ type: 'annals.log.restored', resource: 'installation', operation: 'annals restore' },
    details: { folder },
  }
  const end = await runJob(cli, (control: RestoreControl) => {
    const restore = () => runRestore({ openLog }, request, control)
    return request.isDryRun ? restore() : audited(config, act, restore, control)
  }).catch((error: unknown) => {
    throw withAdvice(error)
  })
  const report = restoreReport(end)
  if (options.verify !== true || end.status !== 'restored') return report
  // Index, snapshots and projections do not exist until the services have started.
  const verified = await verifyReport(cli, [], ['log'], { seed: '', findingsMax: 100 })
  return {
    document: { ...report.document, verification: verified.document },
    text: `${report.text}\n${verified.text}`,
    exitCode: verified.exitCode ?? 0,
  }
}

/** Adds to the error of a restore that failed halfway how to resume it. */
function withAdvice(error: unknown): unknown {
  const { message, exitCode, ...failure } = failureOf(error)
  if (exitCode !== 3 && exitCode !== 4) return error
  const advice = 'Fix that, then run the same command again: it resumes the restore'
  return new CommandError({ ...failure, exitCode, message: `${message}. ${advice}` }, { cause: error })
}
