import { type Command, Option } from 'commander'

import { parsePosition, parseStreamId } from '#domain'

import { again, wholeNumber, time, version } from '../arguments.ts'
import type { Cli } from '../cli.ts'
import { UsageError } from '../failure.ts'
import type { ReplayCommandOptions } from '../replay-command-options.ts'
import { withClient, withWriterOption } from '../writer-option.ts'
import { rebuild } from './projection-rebuild.ts'

const help = `
Reads the log directly, without a writer, and never changes it. The default end is the end of the log at the start of
the replay. An event must match all bounds and filters. Events of one partition keep their order; those of several
partitions are interleaved. Kafka, registry and domain follow from the same settings as for the services
(docs/configuration.md). More: docs/operations/replay.md

Examples:
  annals replay customer --from-time 2026-01-01 --type PurchaseMade | jq .data.amount
  annals replay customer --to-file customers.ndjson
  annals replay customer --to-file customers.ndjson --resume
  annals replay --stream customer.c-1 --from-version 10 --format cloudevents
  annals replay customer --from-offset 3:1200 --partition 3 --to-topic customer-copy --create --rate 500
  annals replay customer --stream-pattern 'customer.eu-*' --dry-run
  annals replay --to-projection customer-lifetime --until-time 2026-01-31T12:00:00Z`

export function addReplay(program: Command, cli: Cli): void {
  const command = program
    .command('replay')
    .description('Replay events of the log to standard output, a file, another topic, or a projection.')
    .argument('[aggregateType]', 'aggregate type: all partitions of its topic')
    .option('--stream <id>', 'only the events of this stream', parseStreamId)
  addBounds(command)
  addFilters(command)
  addDestinations(command)
  addPace(command)
  command
    .addHelpText('after', help)
    .action((aggregateType: string | undefined, options: ReplayCommandOptions) =>
      options.toProjection === undefined
        ? replayLog(cli, aggregateType, options)
        : replayToProjection(cli, options.toProjection, aggregateType, options, command),
    )
  withWriterOption(command, cli, 'projector of --to-projection')
}

function addBounds(command: Command): void {
  command
    .option('--partition <number>', 'only this partition; repeat for more', partitions)
    .option(
      '--from-offset <partition:offset>',
      'start of a partition; repeat for more partitions',
      offsets('--from-offset'),
    )
    .option(
      '--until-offset <partition:offset>',
      'end of a partition, before this offset; repeat for more partitions',
      offsets('--until-offset'),
    )
    .option(
      '--from-time <time>',
      'not before this time: ISO 8601, e.g. 2026-01-31 or 2026-01-31T12:00:00Z',
      time('--from-time'),
    )
    .option('--until-time <time>', 'before this time', time('--until-time'))
    .option('--from-version <version>', 'with --stream: not before this version', version('--from-version'))
    .option(
      '--until-version <version>',
      'with --stream: up to and including this version',
      version('--until-version'),
    )
}

function addFilters(command: Command): void {
  command
    .option('--type <eventType>', 'only events of this type; repeat for more', again)
    .option('--stream-pattern <glob>', 'only streams whose whole id matches: * for any characters, ? for one')
    .option('--correlation-id <id>', 'only events with this correlation id')
}

function addDestinations(command: Command): void {
  command
    .addOption(
      new Option('--format <format>', 'format of lines: events as in the HTTP API, or CloudEvents in JSON')
        .choices(['ndjson', 'cloudevents'])
        .default('ndjson'),
    )
    .addOption(new Option('--to-file <path>', 'write lines to a file').conflicts(['toTopic', 'toProjection']))
    .addOption(
      new Option(
        '--to-topic <name>',
        'copy records byte for byte to a topic, marked with the header annals_replayed',
      ).conflicts('toProjection'),
    )
    .option('--to-projection <name>', 'rebuild the projection on its projector, and show the progress')
    .option('--create', 'with --to-topic: create the topic if it is missing')
    .addOption(
      new Option(
        '--until-position <position>',
        'with --to-projection: a view of the past, up to and including this event',
      )
        .argParser(parsePosition)
        .conflicts('untilTime'),
    )
    .addOption(
      new Option('--overwrite', 'start over, and replace an existing file and checkpoint').conflicts(
        'resume',
      ),
    )
    .option('--dry-run', 'read and count, write nothing')
    .option('--skip-unreadable', 'skip records that cannot be decoded, instead of failing')
}

function addPace(command: Command): void {
  command
    .option('--rate <events>', 'at most this many events per second', wholeNumber('--rate', 1, 10_000_000))
    .addOption(
      new Option('--parallel <partitions>', 'partitions read at the same time')
        .argParser(wholeNumber('--parallel', 1, 64))
        .default(4),
    )
    .addOption(
      new Option('--timeout <seconds>', 'how long to wait for brokers that do not answer')
        .argParser(wholeNumber('--timeout', 1, 86_400))
        .default(30),
    )
    .option(
      '--checkpoint <file>',
      'store the progress in this file; default with --to-file: <path>.checkpoint',
    )
    .option('--resume', 'resume from the checkpoint')
}

const partitions = (value: string, before: readonly number[] = []): readonly number[] => [
  ...before,
  wholeNumber('--partition', 0, 1_000_000)(value),
]

const offsets =
  (option: string) =>
  (value: string, before: ReadonlyMap<number, number> = new Map()): ReadonlyMap<number, number> => {
    const [, partition, offset] = /^(\d{1,7}):(\d{1,15})$/.exec(value) ?? []
    if (partition === undefined) {
      throw new UsageError(`${option} ${value}: expected partition:offset, e.g. 3:1200`)
    }
    if (before.has(Number(partition)))
      throw new UsageError(`${option}: partition ${partition} is given twice`)
    return new Map([...before, [Number(partition), Number(offset)]])
  }

async function replayLog(
  cli: Cli,
  aggregateType: string | undefined,
  options: ReplayCommandOptions,
): Promise<void> {
  // Loaded here only: the Kafka clients would double the start time of every other command.
  const { replayEvents } = await import('./replay-events.ts')
  cli.report(await replayEvents(cli, aggregateType, options))
}

/** Options that a rebuild does not take. */
const onlyForEvents = [
  ...['stream', 'partition', 'fromOffset', 'untilOffset', 'fromTime', 'fromVersion', 'untilVersion', 'type'],
  ...['streamPattern', 'correlationId', 'format', 'create', 'overwrite', 'dryRun', 'skipUnreadable', 'rate'],
  ...['parallel', 'timeout', 'checkpoint', 'resume'],
]

async function replayToProjection(
  cli: Cli,
  name: string,
  aggregateType: string | undefined,
  options: ReplayCommandOptions,
  command: Command,
): Promise<void> {
  const given = onlyForEvents.filter((option) => command.getOptionValueSource(option) === 'cli')
  if (aggregateType !== undefined || given.length > 0) {
    const what =
      aggregateType ?? `--${(given[0] ?? '').replaceAll(/[A-Z]/g, (upper) => `-${upper.toLowerCase()}`)}`
    throw new UsageError(
      `${what} cannot be used with --to-projection: a projection is built from all events of its sources, up to --until-time or --until-position`,
    )
  }
  cli.report(await withClient(options, (client) => rebuild(client, cli, name, { ...options, wait: true })))
}
