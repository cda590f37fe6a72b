import { styleText } from 'node:util'

import type { Command } from 'commander'

import type { BackupFinding, BackupsCheck, JobControl } from '#operations'

import type { Cli, CommandReport } from '../cli.ts'
import { grouped } from '../progress/progress-text.ts'
import { runJob } from '../run-job.ts'

const help = `
Reads every file and checks sizes, checksums and records, that each backup continues the one before it, and that no offset is missing between them.
It needs no Kafka. It exits with 1 if anything is damaged.

Examples:
  annals backup check /backups/shop
  annals backup check /backups/shop --json`

export function addBackupCheck(backup: Command, cli: Cli): void {
  backup
    .command('check')
    .description('Check that all backups are intact, without a cluster.')
    .argument('<folder>', 'folder of backups')
    .addHelpText('after', help)
    .action(async (path: string) => cli.report(await checked(cli, path)))
}

async function checked(cli: Cli, folder: string): Promise<CommandReport> {
  const { checkBackups } = await import('#operations')
  const check = await runJob(cli, (control: JobControl<'checking'>) => checkBackups({ folder }, control))
  return check.status === 'interrupted' ? interrupted(check.findings) : reportOf(folder, check)
}

const findingText = ({ backup, message }: BackupFinding): string => `${styleText('red', backup)}: ${message}`

const interrupted = (findings: readonly BackupFinding[]): CommandReport => ({
  document: { interrupted: true, findings },
  text: [...findings.map(findingText), 'Interrupted: the rest was not checked'].join('\n'),
  exitCode: 130,
})

function reportOf(path: string, { backups, chains, bytes, findings }: BackupsCheck): CommandReport {
  const total = `${backups} backups in ${chains} chains, ${grouped(bytes)} bytes`
  const ending = backups === 0 ? `No backups in ${path}` : `No findings: ${total}`
  return {
    document: { sound: findings.length === 0, backups, chains, bytes, findings },
    text:
      findings.length === 0
        ? ending
        : [...findings.map(findingText), `${findings.length} findings in ${total}`].join('\n'),
    exitCode: findings.length === 0 && backups > 0 ? 0 : 1,
  }
}
