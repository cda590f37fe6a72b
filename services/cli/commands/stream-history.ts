import { type Command, Option } from 'commander'

import type { AnnalsClient } from '#client'
import { formatPosition, type ReadOptions, type RecordedEvent, type Version } from '#domain'
import { pageLimitMax } from '#event-store'

import { wholeNumber, time, version } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { shortened, table } from '../table.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

interface HistoryOptions extends WriterOption {
  readonly fromVersion?: Version
  readonly toVersion?: Version
  readonly from?: string
  readonly until?: string
  readonly backwards?: boolean
  readonly limit: number
}

const limitMax = 100_000
const dataWidth = 100

const examples = `
Examples:
  annals stream history customer.c-1
  annals stream history customer.c-1 --backwards --limit 5
  annals stream history customer.c-1 --from 2026-01-01 --until 2026-02-01 --json`

export function addStreamHistory(stream: Command, cli: Cli): void {
  const command = stream
    .command('history')
    .description('List the events of a stream, by version and by time.')
    .argument('<streamId>', '{aggregateType}.{aggregateId}')
    .option('--from-version <version>', 'not before this version', version('--from-version'))
    .option('--to-version <version>', 'not after this version', version('--to-version'))
    .option(
      '--from <time>',
      'not before this time: ISO 8601, e.g. 2026-01-31 or 2026-01-31T12:00:00Z',
      time('--from'),
    )
    .option('--until <time>', 'before this time', time('--until'))
    .option('--backwards', 'latest first')
    .addOption(
      new Option('--limit <count>', `how many events at most, up to ${limitMax}`)
        .argParser(wholeNumber('--limit', 1, limitMax))
        .default(100),
    )
    .addHelpText('after', examples)
    .action(async (streamId: string, options: HistoryOptions) => {
      cli.report(await withClient(options, (client) => history(client, streamId, options)))
    })
  withWriterOption(command, cli)
}

async function history(
  client: AnnalsClient,
  streamId: string,
  options: HistoryOptions,
): Promise<CommandReport> {
  const events: RecordedEvent[] = []
  let next: Version | undefined
  for await (const event of client.readAll(streamId, readOptions(options))) {
    if (events.length === options.limit) {
      next = event.version
      break
    }
    events.push(event)
  }
  // Without events: throws if the stream does not exist.
  if (events.length === 0) await client.info(streamId)
  return reportOf(streamId, events, next, options)
}

/** Reads one event more than it shows, to know whether there are more. */
const readOptions = ({
  fromVersion,
  toVersion,
  from,
  until,
  backwards,
  limit,
}: HistoryOptions): ReadOptions => ({
  ...(fromVersion !== undefined && { fromVersion }),
  ...(toVersion !== undefined && { toVersion }),
  ...(from !== undefined && { from }),
  ...(until !== undefined && { until }),
  direction: backwards === true ? 'backwards' : 'forwards',
  limit: Math.min(limit + 1, pageLimitMax),
})

function reportOf(
  streamId: string,
  events: readonly RecordedEvent[],
  next: Version | undefined,
  { backwards }: HistoryOptions,
): CommandReport {
  const bound = backwards === true ? '--to-version' : '--from-version'
  const more = next === undefined ? [] : [`There are more: continue with ${bound} ${next}`]
  return {
    document: {
      streamId,
      events: events.map((event) => ({ ...event, position: formatPosition(event.position) })),
      ...(next !== undefined && { next }),
    },
    text: [events.length === 0 ? 'No events within these bounds' : eventTable(events), ...more].join('\n'),
  }
}

const eventTable = (events: readonly RecordedEvent[]): string =>
  table(
    ['version', 'time', 'type', 'data'],
    events.map((event) => [
      event.version,
      event.timestamp,
      event.type,
      shortened(JSON.stringify(event.data), dataWidth),
    ]),
  )
