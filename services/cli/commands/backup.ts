import { type Command, Option } from 'commander'

import { loadConfig } from '#config'
import type { BackupControl, BackupReport, BackupRequest, Due } from '#operations'

import { count, durationMs, sizeBytes } from '../arguments.ts'
import type { Cli, Report } from '../cli.ts'
import { UsageError, withRightsAdvice } from '../failure.ts'
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
The first backup in a folder is a full one; each further one adds what is new since, in a folder of its own. A backup is there as a whole or not at
all: one that is killed, or meets a full disk, leaves those before as they are. It holds the events of the domain (ANNALS_DOMAIN), dead letters,
their schemas, and the settings without secrets. Snapshots, projections and what Redis has are left out: services make them anew from the events.
Services may go on meanwhile. docs/operations/backup.md tells the whole, and how to restore.

Examples:
  annals backup /backups/shop
  annals backup /backups/shop --full-every 24 --keep 7
  annals backup /backups/shop --watch --every 15m --every-events 100000
  annals backup list /backups/shop
  annals backup check /backups/shop`

export function addBackup(program: Command, cli: Cli): void {
  const backup = program
    .command('backup')
    .description('Back up events, schemas and settings to a folder, all or what is new.')
    .argument('<folder>', 'of backups; made where it is missing. One named list or check: write ./list')
    .option('--type <aggregateType>', 'only the events of this type; again for more', again)
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
    .option('--full', 'back up everything, and begin a new chain with it')
    .addOption(
      new Option('--full-every <count>', 'begin a new chain after so many incremental backups').argParser(
        count('--full-every', 1, 1_000_000),
      ),
    )
    .addOption(
      new Option(
        '--keep <count>',
        'keep so many chains, and remove older ones that the newest covers',
      ).argParser(count('--keep', 1, 1_000_000)),
    )
    .addOption(
      new Option(
        '--keep-days <count>',
        'keep chains whose last backup is not older, and remove the rest',
      ).argParser(count('--keep-days', 1, 1_000_000)),
    )
}

function addWatch(command: Command): void {
  command
    .option('--watch', 'stay, and make a further backup whenever one is due')
    .addOption(
      new Option('--every <duration>', 'with --watch: so often; 15m where nothing else is said').argParser(
        durationMs('--every'),
      ),
    )
    .addOption(
      new Option('--every-events <count>', 'with --watch: whenever so many events have come').argParser(
        count('--every-events', 1, 1_000_000_000),
      ),
    )
    .addOption(
      new Option('--every-bytes <size>', 'with --watch: whenever the log has grown by so much').argParser(
        sizeBytes('--every-bytes'),
      ),
    )
}

const again = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

async function run(cli: Cli, folder: string, options: BackupCommandOptions): Promise<Report> {
  const request = requestOf(folder, options)
  const due = dueOf(options)
  const config = loadConfig(cli.env)
  // Loaded only here: the clients of Kafka would make every other command start in twice the time.
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
    return { document: { status: 'ended' }, text: `Ended. ${folder} has all backups that were told of` }
  }
  try {
    const end = await runJob(cli, (control: BackupControl) => runBackup(source, request, control))
    return end.status === 'interrupted' ? interrupted(folder) : backupReport(folder, end)
  } catch (error) {
    throw withRightsAdvice(error, 'docs/operations/backup.md tells which rights it takes')
  }
}

const interrupted = (path: string): Report => ({
  document: { status: 'interrupted' },
  text: `Interrupted: nothing was added to ${path}. The same command begins the backup anew`,
  exitCode: 130,
})

/** What watching is run for is printed as it happens. */
const say = ({ isJson }: Cli, { document, text }: Report): void => {
  const at = new Date().toISOString()
  // One line each, for a program as well as for a log.
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

/** @throws UsageError where nothing is watched. */
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
