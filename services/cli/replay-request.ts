import { aggregateTypeOf, parseAggregateType } from '#domain'
import { parseTime } from '#event-store'
import {
  type Bounds,
  canBeginWith,
  type Destination,
  type ReplayFilter,
  type ReplayRequest,
} from '#operations'

import { UsageError } from './failure.ts'
import type { ReplayCommandOptions } from './replay-command-options.ts'

/** The replay that the options request. @throws UsageError, InvalidInputError, EventStoreError `invalid-request` for options that do not fit together. */
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
  const { stream, fromVersion, untilVersion, create, toTopic, untilPosition } = options
  if ((aggregateType === undefined) === (stream === undefined)) {
    throw new UsageError('replay takes either an aggregate type or --stream')
  }
  if (stream === undefined && (fromVersion ?? untilVersion) !== undefined) {
    throw new UsageError('--from-version and --until-version need --stream')
  }
  if (create === true && toTopic === undefined) throw new UsageError('--create needs --to-topic')
  if (untilPosition !== undefined) throw new UsageError('--until-position needs --to-projection')
}

/** A pattern matches whole ids: one that cannot begin with the type's name matches no stream of the type. */
function checkPattern(type: string, { streamPattern: glob }: ReplayCommandOptions): void {
  if (glob === undefined || canBeginWith(glob, `${type}.`)) return
  throw new UsageError(
    `--stream-pattern ${glob} matches no stream of ${type}: it must match the whole id, which begins with '${type}.', e.g. '${type}.${glob}'`,
  )
}

const typeOf = (aggregateType: string | undefined, { stream }: ReplayCommandOptions): string =>
  stream === undefined ? parseAggregateType(aggregateType ?? '') : aggregateTypeOf(stream)

const boundsOf = ({ partition, fromOffset, untilOffset }: ReplayCommandOptions): Bounds => ({
  partitions: partition ?? [],
  fromOffsets: fromOffset ?? new Map<number, number>(),
  untilOffsets: untilOffset ?? new Map<number, number>(),
})

const filterOf = (options: ReplayCommandOptions): ReplayFilter => ({
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
