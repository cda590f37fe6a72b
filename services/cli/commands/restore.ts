import { type Command, Option } from 'commander'

import { loadConfig } from '#config'
import { parseTime } from '#event-store'

import { count } from '../arguments.ts'
import type { RestoreSettings } from '../backup/restore/run-restore.ts'
import type { Cli } from '../cli.ts'
import { interruptible } from '../interruption.ts'
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
    .action(async (folder: string, options: RestoreCommandOptions) => {
      const { verify, ...settings } = options
      cli.report(await run(cli, folder, settingsOf(settings), verify === true && options.dryRun !== true))
    })
}

const settingsOf = ({ at, until, replication, dryRun }: RestoreCommandOptions): RestoreSettings => ({
  point: { ...(at !== undefined && { at }), ...(until !== undefined && { untilMs: until }) },
  ...(replication !== undefined && { replication }),
  isDryRun: dryRun === true,
})

async function run(cli: Cli, folder: string, settings: RestoreSettings, verifies: boolean) {
  const config = loadConfig(cli.env)
  // Loaded only here: the clients of Kafka would make every other command start in twice the time.
  const { restoreBackup } = await import('../backup/restore/run-restore.ts')
  const restored = await interruptible((signal) => restoreBackup(cli, config, folder, settings, signal))
  if (!verifies || (restored.exitCode ?? 0) !== 0) return restored
  // Index, snapshots and projections are not there before the services have been.
  const verified = await verifyReport(cli, [], ['log'], { seed: '', findingsMax: 100 })
  return {
    document: { ...restored.document, verification: verified.document },
    text: `${restored.text}\n${verified.text}`,
    exitCode: verified.exitCode ?? 0,
  }
}
