import { resolve } from 'node:path'

import {
  aggregateTypeOf,
  deadLetterTopic,
  eventTopic,
  parseAggregateType,
  projectionTopic,
  repartitionJournal,
  repartitionTopic,
  restoreJournal,
  snapshotTopic,
} from '#domain'
import { parseTime } from '#event-store'

import { UsageError } from '../failure.ts'
import type { Bounds } from './ranges.ts'
import type { EventFilter } from './record-filter.ts'
import { canBeginWith } from './stream-pattern.ts'
import type { ReplayCommandOptions } from './replay-command-options.ts'
import type { Destination, ReplayRequest } from './replay-request.ts'

/** What the options ask for. @throws UsageError, InvalidInputError, EventStoreError `invalid-request` where they do not fit together. */
export function requestOf(aggregateType: string | undefined, options: ReplayCommandOptions): ReplayRequest {
  checkOptions(aggregateType, options)
  checkPattern(typeOf(aggregateType, options), options)
  const destination = destinationOf(options)
  const isFile = destination.kind === 'file' && options.dryRun !== true
  const checkpoint = options.checkpoint ?? (isFile ? `${destination.path}.checkpoint` : undefined)
  if (options.resume === true && checkpoint === undefined) {
    throw new UsageError('--resume goes on from a checkpoint: name it by --checkpoint')
  }
  if (isFile && checkpoint !== undefined && resolve(checkpoint) === resolve(destination.path)) {
    throw new UsageError(`--checkpoint ${checkpoint}: the events themselves go there`)
  }
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

const ownTopics = [
  ...[eventTopic, snapshotTopic, projectionTopic, deadLetterTopic],
  ...[repartitionTopic, repartitionJournal, restoreJournal],
].map((topic) => topic(''))
const topicPattern = /^[\w.-]{1,249}$/

function destinationOf({ toFile, toTopic, create, format }: ReplayCommandOptions): Destination {
  if (toFile !== undefined) return { kind: 'file', path: toFile, format }
  if (toTopic === undefined) return { kind: 'stdout', format }
  const prefix = ownTopics.find((own) => toTopic.startsWith(own))
  if (prefix !== undefined) {
    throw new UsageError(
      `--to-topic ${toTopic}: topics ${prefix}* are Annals' own, and only its services write to them. Name another`,
    )
  }
  if (!topicPattern.test(toTopic) || toTopic === '.' || toTopic === '..') {
    throw new UsageError(
      `--to-topic ${toTopic}: expected letters, digits, dots, hyphens and underscores, at most 249`,
    )
  }
  return { kind: 'topic', name: toTopic, create: create === true }
}
