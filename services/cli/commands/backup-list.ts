import type { Command } from 'commander'

import { BackupError } from '../backup/backup-error.ts'
import { BackupFolder, type StoredBackup } from '../backup/backup-folder.ts'
import type { Cli, Report } from '../cli.ts'
import { grouped } from '../progress-text.ts'
import { table } from '../table.ts'

const help = `
It reads the manifests and nothing else: \`annals backup check\` looks at the files.

Examples:
  annals backup list /backups/shop
  annals backup list /backups/shop --json`

export function addBackupList(backup: Command, cli: Cli): void {
  backup
    .command('list')
    .description('All backups in a folder, oldest first.')
    .argument('<folder>', 'of backups')
    .addHelpText('after', help)
    .action(async (path: string) => cli.report(await listed(path)))
}

type Listed = StoredBackup | { readonly id: string; readonly problem: string }

async function listed(path: string): Promise<Report> {
  const folder = await BackupFolder.open(path)
  const ids = (await folder.chains()).flat()
  const backups = await Promise.all(ids.map((id) => readOrTell(folder, id)))
  return {
    document: { backups: backups.map(documentOf) },
    text:
      backups.length === 0
        ? `There is no backup in ${path}`
        : table(['backup', 'finished', 'topics', 'events', 'bytes'], backups.map(row)),
    exitCode: backups.some((backup) => 'problem' in backup) ? 1 : 0,
  }
}

const readOrTell = (folder: BackupFolder, id: string): Promise<Listed> =>
  folder.read(id).catch((error: unknown) => {
    if (error instanceof BackupError) return { id, problem: error.failure.message }
    throw error
  })

function documentOf(backup: Listed): object {
  if ('problem' in backup) return backup
  const { id, kind, previous, startedAt, finishedAt, clusterId, events, bytes, topics } = backup.manifest
  return {
    ...{ id, kind, startedAt, finishedAt, clusterId, events, bytes },
    ...(previous !== undefined && { previous: previous.id }),
    topics: topics.map(({ name, partitions, ranges }) => ({
      ...{ name, partitions },
      events: ranges.reduce((sum, range) => sum + range.events, 0),
    })),
  }
}

function row(backup: Listed): string[] {
  if ('problem' in backup) return [backup.id, 'damaged', '', '', backup.problem]
  const { id, finishedAt, topics, events, bytes } = backup.manifest
  return [id, finishedAt, grouped(topics.length), grouped(events), grouped(bytes)]
}
