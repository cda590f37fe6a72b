import { type Command, Option } from 'commander'

import { loadConfig } from '#config'

import { count, durationMs, sizeBytes } from '../arguments.ts'
import type { BackupSettings } from '../backup/run-backup.ts'
import type { Cli, Report } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { interruptible } from '../interruption.ts'
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
  const settings = settingsOf(options)
  const config = loadConfig(cli.env)
  // Loaded only here: the clients of Kafka would make every other command start in twice the time.
  const { backUpOnce, backUpForever } = await import('../backup/run-backup.ts')
  if (options.watch !== true) {
    return interruptible((signal) => backUpOnce(cli, config, folder, settings, signal))
  }
  return interruptible(
    (signal) => backUpForever(cli, config, folder, settings, signal),
    ['SIGINT', 'SIGTERM'],
  )
}

function settingsOf(options: BackupCommandOptions): BackupSettings {
  const { type = [], full = false, fullEvery, keep, keepDays, every, everyEvents, everyBytes } = options
  const isDueSet = every !== undefined || everyEvents !== undefined || everyBytes !== undefined
  if (isDueSet && options.watch !== true) {
    throw new UsageError('--every, --every-events and --every-bytes need --watch')
  }
  return {
    ...{ types: type, isFull: full },
    ...(fullEvery !== undefined && { incrementalsMax: fullEvery }),
    ...((keep !== undefined || keepDays !== undefined) && {
      retention: {
        ...(keep !== undefined && { chains: keep }),
        ...(keepDays !== undefined && { days: keepDays }),
      },
    }),
    due: {
      ...(every !== undefined && { everyMs: every }),
      ...(!isDueSet && { everyMs: everyMsDefault }),
      ...(everyEvents !== undefined && { events: everyEvents }),
      ...(everyBytes !== undefined && { bytes: everyBytes }),
    },
  }
}

const everyMsDefault = 15 * 60_000
