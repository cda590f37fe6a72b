import { access } from 'node:fs/promises'
import type { Writable } from 'node:stream'

import { abortable } from '#async'
import type { Config } from '#config'
import { eventTopic } from '#domain'
import { KafkaCluster, LogReader } from '#kafka'
import { kafkaSettings } from '#service'

import { clusterOf, clusterText, type NamedCluster } from '../named-cluster.ts'
import { type ReplayCheckpoint, readReplayCheckpoint, saveReplayCheckpoint } from './checkpoint.ts'
import { checkRequest } from './check-request.ts'
import { eventTypesAsked } from './event-types-asked.ts'
import { openTarget } from './open-target.ts'
import { paceOf, unlimited } from './pace.ts'
import { rangesOf } from './ranges.ts'
import { isLastOf, recordFilter } from './record-filter.ts'
import { replay, type ReplayEnd } from './replay.ts'
import { OperationError } from '../operation-error.ts'
import { ReplayProgress } from './replay-progress.ts'
import { identityOf, type ReplayRequest } from './replay-request.ts'
import type { ReplayTarget } from './replay-target.ts'

/** A replay that is ready to run. */
export interface OpenReplay {
  readonly cluster: NamedCluster
  readonly topic: string
  readonly progress: ReplayProgress
  readonly warnings: readonly string[]
  /** @param signal ends the replay after the records in flight. */
  run(signal: AbortSignal): Promise<ReplayEnd>
}

export interface ReplayConnections {
  readonly config: Config
  /** Receives the lines of a request without a file. */
  readonly lines: Writable
}

/** The part of a replay that is read before anything is written. */
interface PreparedReplay {
  readonly source: Source
  readonly reader: LogReader
  /** What must be equal to resume the replay. */
  readonly identity: ReplayCheckpoint['request']
  readonly found: ReplayCheckpoint | undefined
  readonly progress: ReplayProgress
  /** Warnings for the operator. */
  readonly deleted: readonly string[]
}

/**
 * Opens what a replay needs, uses it, and closes it.
 * @param signal ends the opening. After it has aborted, no target is created or truncated.
 * @throws OperationError, LogError, SchemaError, ConfigError, InvalidInputError if it cannot start, and what `use` throws; the reason
 *   of the signal if it aborts before `use` is called.
 */
export async function withReplay<T>(
  { config, lines }: ReplayConnections,
  request: ReplayRequest,
  signal: AbortSignal,
  use: (replay: OpenReplay) => Promise<T>,
): Promise<T> {
  checkRequest(request)
  const ofTypes = eventTypesAsked(config, request)
  const cluster = await KafkaCluster.connect(kafkaSettings(config), { timeoutMs: request.timeoutMs, signal })
  try {
    const prepared = await abortable(signal, () => prepare(cluster, config, request))
    const { source, reader, identity, found, progress, deleted } = prepared
    const opened = await openTarget({
      ...{ config, cluster, source, request, lines, signal },
      fileBytes: found?.fileBytes,
    })
    try {
      const save = saverOf(request, identity, progress)
      const run = (ending: AbortSignal) =>
        replayRequested(request, {
          ...{ reader, topic: source.name, progress, target: opened.target, save, signal: ending },
        })
      return await use({
        ...{ cluster: clusterOf(cluster, config), topic: source.name, progress, run },
        warnings: [...ofTypes, ...deleted, ...opened.warnings],
      })
    } finally {
      await opened.target.close()
    }
  } finally {
    await cluster.close()
  }
}

async function prepare(
  cluster: KafkaCluster,
  config: Config,
  request: ReplayRequest,
): Promise<PreparedReplay> {
  const source = await findSource(cluster, config, request)
  const reader = new LogReader(cluster, { timeoutMs: request.timeoutMs })
  const identity = identityOf(request, source.topicId)
  const found = await foundCheckpoint(request, identity)
  const { bounds, filter } = request
  const progress =
    found === undefined
      ? ReplayProgress.of(await rangesOf({ ...source, reader, topic: source.name }, bounds, filter))
      : ReplayProgress.from(found)
  const deleted = await deletedHeads(reader, source.name, request, progress)
  return { source, reader, identity, found, progress, deleted }
}

/** Warnings for partitions whose first events were deleted, although the request includes them. */
async function deletedHeads(
  reader: LogReader,
  topic: string,
  { bounds, filter }: ReplayRequest,
  { partitions }: ReplayProgress,
): Promise<string[]> {
  if (filter.fromMs !== undefined) return []
  const warnings: string[] = []
  for (const { partition } of partitions) {
    if (bounds.fromOffsets.has(partition)) continue
    const start = await reader.startOffset(topic, partition)
    if (start === 0) continue
    warnings.push(`partition ${partition} of ${topic} starts at offset ${start}: older events were deleted`)
  }
  return warnings
}

interface Source {
  readonly name: string
  readonly topicId: string
  /** Number of partitions. */
  readonly partitions: number
}

async function findSource(cluster: KafkaCluster, config: Config, request: ReplayRequest): Promise<Source> {
  const name = eventTopic(request.aggregateType)
  const [found] = await cluster.existingTopics([name], performance.now() + request.timeoutMs)
  if (found !== undefined) return { name, topicId: found.topicId, partitions: found.partitions.length }
  const where = clusterText(clusterOf(cluster, config))
  const advice = `Is ${request.aggregateType} the right aggregate type, and ANNALS_KAFKA_BROKERS the right cluster?`
  throw new OperationError('unknown-topic', `topic ${name} does not exist in ${where}. ${advice}`)
}

async function foundCheckpoint(
  { checkpoint, resume, overwrite }: ReplayRequest,
  identity: ReplayCheckpoint['request'],
): Promise<ReplayCheckpoint | undefined> {
  if (checkpoint === undefined) return undefined
  if (resume) return readReplayCheckpoint(checkpoint, identity)
  if (overwrite || !(await isThere(checkpoint))) return undefined
  throw new OperationError(
    'target-exists',
    `checkpoint ${checkpoint} already exists: --resume continues from it, --overwrite starts over`,
  )
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

type Save = (fileBytes: number) => Promise<void>

function saverOf(
  { checkpoint }: ReplayRequest,
  request: ReplayCheckpoint['request'],
  progress: ReplayProgress,
): Save | undefined {
  if (checkpoint === undefined) return undefined
  return (fileBytes) => {
    const { partitions, leftOut } = progress
    return saveReplayCheckpoint(checkpoint, {
      ...{ checkpointVersion: 1, request, fileBytes },
      ...{ partitions: [...partitions], leftOut: [...leftOut] },
    })
  }
}

interface Running {
  readonly reader: LogReader
  readonly topic: string
  readonly progress: ReplayProgress
  readonly target: ReplayTarget
  readonly save: Save | undefined
  readonly signal: AbortSignal
}

function replayRequested({ filter, rate, parallel }: ReplayRequest, { save, ...running }: Running) {
  return replay({
    ...running,
    ...(save && { save }),
    matches: recordFilter(filter),
    isLast: isLastOf(filter),
    pace: rate === undefined ? unlimited : paceOf(rate),
    parallel,
  })
}
