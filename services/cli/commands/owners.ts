import type { Command } from 'commander'

import type { PartitionOwner } from '#client'

import type { Cli, CommandReport } from '../cli.ts'
import { table } from '../table.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

export function addOwners(program: Command, cli: Cli): void {
  const command = program
    .command('owners')
    .description('List the writer that owns each partition.')
    .addHelpText('after', '\nExample:\n  annals owners')
    .action(async (options: WriterOption) => {
      cli.report(reportOf(await withClient(options, (client) => client.owners())))
    })
  withWriterOption(command, cli)
}

function reportOf(owners: readonly PartitionOwner[]): CommandReport {
  const partitions = owners.toSorted((a, b) => compare(a.topic, b.topic) || a.partition - b.partition)
  const rows = partitions.map(({ topic, partition, url, memberId }) => [
    topic,
    partition,
    url ?? 'not verified',
    memberId,
  ])
  return {
    document: { partitions },
    text:
      rows.length === 0
        ? 'No partition has an owner'
        : table(['topic', 'partition', 'writer', 'member'], rows),
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
