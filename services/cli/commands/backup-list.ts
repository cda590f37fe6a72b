import type { Command } from 'commander'

import type { ListedBackup } from '#operations'

import type { Cli, CommandReport } from '../cli.ts'
import { grouped } from '../progress/progress-text.ts'
import { table } from '../table.ts'

const help = `
Reads the manifests only; \`annals backup check\` checks the files.

Examples:
  annals backup list /backups/shop
  annals backup list /backups/shop --json`

export function addBackupList(backup: Command, cli: Cli): void {
  backup
    .command('list')
    .description('List all backups in a folder, oldest first.')
    .argument('<folder>', 'folder of backups')
    .addHelpText('after', help)
    .action(async (path: string) => cli.report(await listed(path)))
}

async function listed(path: string): Promise<CommandReport> {
  const { listBackups } = await import('#operations')
  const backups = await listBackups({ folder: path })
  return {
    document: { backups: backups.map(documentOf) },
    text:
      backups.length === 0
        ? `No backups in ${path}`
        : table(['backup', 'finished', 'topics', 'events', 'bytes'], backups.map(row)),
    exitCode: backups.some((backup) => 'problem' in backup) ? 1 : 0,
  }
}

function documentOf(backup: ListedBackup): object {
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

function row(backup: ListedBackup): string[] {
  if ('problem' in backup) return [backup.id, 'damaged', '', '', backup.problem]
  const { id, finishedAt, topics, events, bytes } = backup.manifest
  return [id, finishedAt, grouped(topics.length), grouped(events), grouped(bytes)]
}
