import { styleText } from 'node:util'

import type { Command } from 'commander'

import { BackupFolder } from '../backup/backup-folder.ts'
import type { BackupFinding } from '../backup/check-backup.ts'
import type { Cli, Report } from '../cli.ts'
import { interruptible } from '../interruption.ts'
import { noDisplay, progressDisplay } from '../progress-display.ts'
import { ProgressMeter } from '../progress-meter.ts'
import { grouped } from '../progress-text.ts'

const help = `
It reads every file: sizes, checksums, every record, that each backup continues the one before it, and that no offset is missing between them. It needs
no Kafka, and ends with 1 where anything is damaged.

Examples:
  annals backup check /backups/shop
  annals backup check /backups/shop --json`

export function addBackupCheck(backup: Command, cli: Cli): void {
  backup
    .command('check')
    .description('Look whether backups are whole, without a cluster.')
    .argument('<folder>', 'of backups')
    .addHelpText('after', help)
    .action(async (path: string) => cli.report(await interruptible((signal) => checked(cli, path, signal))))
}

async function checked({ isJson }: Cli, path: string, signal: AbortSignal): Promise<Report> {
  const { bytesIn, checkChain } = await import('../backup/check-backup.ts')
  const folder = await BackupFolder.open(path)
  const chains = await folder.chains()
  const bytes = await bytesIn(folder, chains)
  const meter = new ProgressMeter(isJson ? noDisplay : progressDisplay(process.stderr), bytes)
  const findings: BackupFinding[] = []
  try {
    for (const ids of chains) {
      const options = { readsRecords: true, advance: (more: number) => meter.advance(more), signal }
      findings.push(...(await checkChain(folder, ids, options)))
    }
  } catch (error) {
    if (signal.aborted) return interrupted(findings)
    throw error
  } finally {
    meter.end()
  }
  return told(path, chains.flat().length, chains.length, bytes, findings)
}

const drawn = ({ backup, message }: BackupFinding): string => `${styleText('red', backup)}: ${message}`

const interrupted = (findings: readonly BackupFinding[]): Report => ({
  document: { interrupted: true, findings },
  text: [...findings.map(drawn), 'Interrupted: the rest was not looked at'].join('\n'),
  exitCode: 130,
})

function told(
  path: string,
  backups: number,
  chains: number,
  bytes: number,
  findings: readonly BackupFinding[],
): Report {
  const looked = `${backups} backups in ${chains} chains, ${grouped(bytes)} bytes`
  const ending = backups === 0 ? `There is no backup in ${path}` : `Sound: ${looked}`
  return {
    document: { sound: findings.length === 0, backups, chains, bytes, findings },
    text:
      findings.length === 0
        ? ending
        : [...findings.map(drawn), `${findings.length} findings in ${looked}`].join('\n'),
    exitCode: findings.length === 0 && backups > 0 ? 0 : 1,
  }
}
