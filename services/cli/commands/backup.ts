import { type Command, Option } from 'commander'

import { loadConfig } from '#config'
import type { BackupControl, BackupReport, BackupRequest, Due } from '#operations'

import { again, wholeNumber, durationMs, sizeBytes } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { runJob } from '../run-job.ts'
import { addBackupCheck } from './backup-check.ts'
import { addBackupList } from './backup-list.ts'

interface BackupCommandOptions {
  readonly type?: readonly string[]
  readonly full?: boolean
  readonly fullEvery?: number
  readonly keep?: number
  readonly keepDays?: number
  readonly watch?: boolean
  readonly every?: number
  readonly everyEvents?: number
  readonly everyBytes?: number
}

const help = `
The first backup in a folder is full. Each further one adds what is new in another subfolder. A backup appears complete or not at all: one that
is killed, or finds the disk full, leaves earlier backups unchanged. It contains the events of the domain (ANNALS_DOMAIN), dead letters, their
schemas, and the settings without secrets. It does not contain snapshots, projections and the data in Redis: services rebuild them from the events.
Services can keep running. docs/operations/backup.md describes backup and restore.

Examples:
  annals backup /backups/shop
  annals backup /backups/shop --full-every 24 --keep 7
  annals backup /backups/shop --watch --every 15m --every-events 100000
  annals backup list /backups/shop
  annals backup check /backups/shop`

export function addBackup(program: Command, cli: Cli): void {
  const backup = program
    .command('backup')
    .description('Back up events, schemas and settings to a folder: everything, or what is new.')
    .argument(
      '<folder>',
      'folder of backups; created if it is missing. For a folder named list or check, write ./list or ./check',
    )
    .option('--type <aggregateType>', 'only the events of this type; repeat for more', again)
  addChains(backup)
  addWatch(backup)
  backup
    .addHelpText('after', help)
    .action(async (folder: string, options: BackupCommandOptions) =>
      cli.report(await run(cli, folder, options)),
    )
  addBackupList(backup, cli)
  addBackupCheck(backup, cli)
}

function addChains(command: Command): void {
  command
    .option('--full', 'back up everything, as the start of a new chain')
    .addOption(
      new Option('--full-every <count>', 'start a new chain after this many incremental backups').argParser(
        wholeNumber('--full-every', 1, 1_000_000),
      ),
    )
    .addOption(
      new Option(
        '--keep <count>',
        'keep this many chains; remove older ones that the newest covers',
      ).argParser(wholeNumber('--keep', 1, 1_000_000)),
    )
    .addOption(
      new Option(
        '--keep-days <count>',
        'keep chains whose last backup is at most this many days old; remove the others',
      ).argParser(wholeNumber('--keep-days', 1, 1_000_000)),
    )
}

function addWatch(command: Command): void {
  command
    .option('--watch', 'keep running, and make a backup whenever one is due')
    .addOption(
      new Option('--every <duration>', 'with --watch: at this interval; default: 15m').argParser(
        durationMs('--every'),
      ),
    )
    .addOption(
      new Option('--every-events <count>', 'with --watch: after this many new events').argParser(
        wholeNumber('--every-events', 1, 1_000_000_000),
      ),
    )
    .addOption(
      new Option('--every-bytes <size>', 'with --watch: when the log has grown by this much').argParser(
        sizeBytes('--every-bytes'),
      ),
    )
}

async function run(cli: Cli, folder: string, options: BackupCommandOptions): Promise<CommandReport> {
  const request = requestOf(folder, options)
  const due = dueOf(options)
  const config = loadConfig(cli.env)
  // Loaded here only: the Kafka clients would double the start time of every other command.
  const [{ domainOf, logOpener, runBackup, runBackups }, { backupReport, watchedReport }] = await Promise.all(
    [import('#operations'), import('../reports/backup-report.ts')],
  )
  const source = { domain: await domainOf(config), openLog: logOpener(config) }
  if (options.watch === true) {
    const watch = (control: BackupControl, endProgress: () => void) => {
      const onReport = (report: BackupReport) => {
        endProgress()
        say(cli, watchedReport(folder, report))
      }
      return runBackups(source, { ...request, due }, { ...control, onReport })
    }
    await runJob(cli, watch, { signals: ['SIGINT', 'SIGTERM'] })
    return { document: { status: 'ended' }, text: `Stopped. ${folder} contains all reported backups` }
  }
  const end = await runJob(cli, (control: BackupControl) => runBackup(source, request, control))
  return end.status === 'interrupted' ? interrupted(folder) : backupReport(folder, end)
}

const interrupted = (path: string): CommandReport => ({
  document: { status: 'interrupted' },
  text: `Interrupted: nothing was added to ${path}. Run the same command to back up again`,
  exitCode: 130,
})

/** Prints each backup of `--watch` as it is made. */
const say = ({ isJson }: Cli, { document, text }: CommandReport): void => {
  const at = new Date().toISOString()
  // One line per backup, for programs and for logs.
  console.log(isJson ? JSON.stringify({ at, ...document }) : `${at} ${text.replaceAll('\n', '; ')}`)
}

function requestOf(folder: string, options: BackupCommandOptions): BackupRequest {
  const { type = [], full = false, fullEvery, keep, keepDays } = options
  return {
    ...{ folder, types: type, isFull: full },
    ...(fullEvery !== undefined && { incrementalsMax: fullEvery }),
    ...((keep !== undefined || keepDays !== undefined) && {
      retention: {
        ...(keep !== undefined && { chains: keep }),
        ...(keepDays !== undefined && { days: keepDays }),
      },
    }),
  }
}

/** @throws UsageError for these options without `--watch`. */
function dueOf({ watch, every, everyEvents, everyBytes }: BackupCommandOptions): Due {
  const isDueSet = every !== undefined || everyEvents !== undefined || everyBytes !== undefined
  if (isDueSet && watch !== true) {
    throw new UsageError('--every, --every-events and --every-bytes need --watch')
  }
  return {
    ...(every !== undefined && { everyMs: every }),
    ...(!isDueSet && { everyMs: everyMsDefault }),
    ...(everyEvents !== undefined && { events: everyEvents }),
    ...(everyBytes !== undefined && { bytes: everyBytes }),
  }
}

const everyMsDefault = 15 * 60_000
