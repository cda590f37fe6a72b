import { aggregateTypeOf, parseAggregateType } from '#domain'
import { parseTime } from '#event-store'
import {
  type Bounds,
  canBeginWith,
  type Destination,
  type EventFilter,
  type ReplayRequest,
} from '#operations'

import { UsageError } from './failure.ts'
import type { ReplayCommandOptions } from './replay-command-options.ts'

/** What the options ask for. @throws UsageError, InvalidInputError, EventStoreError `invalid-request` where they do not fit together. */
export function requestOf(aggregateType: string | undefined, options: ReplayCommandOptions): ReplayRequest {
  checkOptions(aggregateType, options)
  checkPattern(typeOf(aggregateType, options), options)
  const destination = destinationOf(options)
  const isFile = destination.kind === 'file' && options.dryRun !== true
  const checkpoint = options.checkpoint ?? (isFile ? `${destination.path}.checkpoint` : undefined)
  return {
    aggregateType: typeOf(aggregateType, options),
    bounds: boundsOf(options),
    filter: filterOf(options),
    destination,
    dryRun: options.dryRun === true,
    ...(options.rate !== undefined && { rate: options.rate }),
    parallel: options.parallel,
    timeoutMs: options.timeout * 1_000,
    skipUnreadable: options.skipUnreadable === true,
    ...(checkpoint !== undefined && { checkpoint }),
    resume: options.resume === true,
    overwrite: options.overwrite === true,
  }
}

function checkOptions(aggregateType: string | undefined, options: ReplayCommandOptions): void {
  const { stream, fromVersion, untilVersion, create, toTopic, untilPosition, dryRun, checkpoint } = options
  if ((aggregateType === undefined) === (stream === undefined)) {
    throw new UsageError('replay needs an aggregate type, or a stream by --stream, and not both')
  }
  if (stream === undefined && (fromVersion ?? untilVersion) !== undefined) {
    throw new UsageError('versions are those of one stream: name it by --stream')
  }
  if (create === true && toTopic === undefined) throw new UsageError('--create goes with --to-topic')
  if (untilPosition !== undefined) throw new UsageError('--until-position goes with --to-projection')
  if (dryRun === true && (checkpoint !== undefined || options.resume === true)) {
    throw new UsageError('a dry run keeps no checkpoint: leave out --checkpoint and --resume')
  }
}

/** A pattern is about whole ids: one that cannot begin with the type's name fits no stream of it. */
function checkPattern(type: string, { streamPattern: glob }: ReplayCommandOptions): void {
  if (glob === undefined || canBeginWith(glob, `${type}.`)) return
  throw new UsageError(
    `--stream-pattern ${glob} fits no stream of ${type}: it is about whole ids, which begin with ${type}. as in '${type}.${glob}'`,
  )
}

const typeOf = (aggregateType: string | undefined, { stream }: ReplayCommandOptions): string =>
  stream === undefined ? parseAggregateType(aggregateType ?? '') : aggregateTypeOf(stream)

const boundsOf = ({ partition, fromOffset, untilOffset }: ReplayCommandOptions): Bounds => ({
  partitions: partition ?? [],
  fromOffsets: fromOffset ?? new Map<number, number>(),
  untilOffsets: untilOffset ?? new Map<number, number>(),
})

const filterOf = (options: ReplayCommandOptions): EventFilter => ({
  ...(options.stream !== undefined && { streamId: options.stream }),
  ...(options.fromVersion !== undefined && { fromVersion: options.fromVersion }),
  ...(options.untilVersion !== undefined && { untilVersion: options.untilVersion }),
  ...(options.fromTime !== undefined && { fromMs: parseTime(options.fromTime, '--from-time') }),
  ...(options.untilTime !== undefined && { untilMs: parseTime(options.untilTime, '--until-time') }),
  ...(options.type !== undefined && { types: options.type }),
  ...(options.streamPattern !== undefined && { streamPattern: options.streamPattern }),
  ...(options.correlationId !== undefined && { correlationId: options.correlationId }),
})

function destinationOf({ toFile, toTopic, create, format }: ReplayCommandOptions): Destination {
  if (toFile !== undefined) return { kind: 'file', path: toFile, format }
  if (toTopic === undefined) return { kind: 'stdout', format }
  return { kind: 'topic', name: toTopic, create: create === true }
}
