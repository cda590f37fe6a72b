import type { Command } from 'commander'

import type { PlacedStreamInfo } from '#client'

import type { Cli, CommandReport } from '../cli.ts'
import { listOfPairs } from '../table.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

export function addStreamShow(stream: Command, cli: Cli): void {
  const command = stream
    .command('show')
    .description(
      'Show a stream: its version, the times of its first and last event, its partition and owner.',
    )
    .argument('<streamId>', '{aggregateType}.{aggregateId}')
    .addHelpText('after', '\nExample:\n  annals stream show customer.c-1')
    .action(async (streamId: string, options: WriterOption) => {
      cli.report(shown(await withClient(options, (client) => client.info(streamId))))
    })
  withWriterOption(command, cli)
}

const shown = (info: PlacedStreamInfo): CommandReport => ({
  document: info,
  text: listOfPairs([
    ['stream', info.streamId],
    ['version', info.version],
    ['snapshot at', info.snapshotVersion],
    ['first event', info.firstTimestamp],
    ['last event', info.lastTimestamp],
    ['partition', info.partition],
    ['owner', info.owner ?? 'none'],
  ]),
})
