import { type Command, Option } from 'commander'

import type { StateAt, StreamState } from '#client'
import type { Version } from '#domain'

import { time, version } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

interface StateOptions extends WriterOption {
  readonly version?: Version
  readonly at?: string
}

const examples = `
Examples:
  annals stream state customer.c-1
  annals stream state customer.c-1 --version 3
  annals stream state customer.c-1 --at 2026-01-31T12:00:00Z`

export function addStreamState(stream: Command, cli: Cli): void {
  const command = stream
    .command('state')
    .description('Show the state of an aggregate: now, at a version or at a time.')
    .argument('<streamId>', '{aggregateType}.{aggregateId}')
    .addOption(
      new Option('--version <version>', 'state after this version; 0: the initial state')
        .argParser(version('--version'))
        .conflicts('at'),
    )
    .option('--at <time>', 'state at this time: ISO 8601, e.g. 2026-01-31T12:00:00Z', time('--at'))
    .addHelpText('after', examples)
    .action(async (streamId: string, options: StateOptions) => {
      cli.report(reportOf(await withClient(options, (client) => client.state(streamId, stateAt(options)))))
    })
  withWriterOption(command, cli)
}

const stateAt = ({ version, at }: StateOptions): StateAt => ({
  ...(version !== undefined && { version }),
  ...(at !== undefined && { at }),
})

const reportOf = (state: StreamState): CommandReport => ({
  document: state,
  text: `${state.streamId} at version ${state.version}\n${JSON.stringify(state.state, null, 2)}`,
})
