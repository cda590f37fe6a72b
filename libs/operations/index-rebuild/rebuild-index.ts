import { setTimeout as pause } from 'node:timers/promises'

import { unlessAborted } from '#async'
import type { AnnalsClient } from '#client'
import type { Config } from '#config'
import { eventTopic, partitionFor, partitionKey, type StreamId, streamIdOf } from '#domain'
import { EventStoreError } from '#event-store'
import { LogReader, type OwnersTable, readOwners, Topics } from '#kafka'
import type { PartitionIndex } from '#redis-index'
import type { Connections } from '#service'

import { aggregatesAsked } from '../aggregates-asked.ts'
import { type JobControl, PhaseProgress, timed } from '../job-control.ts'
import { OperationError } from '../operation-error.ts'
import { checkTopics } from '../missing-topics.ts'
import { clusterOf, type NamedCluster } from '../named-cluster.ts'
import { partitionIndex } from '../partition-index.ts'
import type { LogPartition } from '../verify/check-record.ts'
import { PartitionHead } from './partition-head.ts'

export interface IndexRebuildRequest {
  /** Aggregate types; none means all of the domain. */
  readonly types: readonly string[]
  /** Accepts permanently that the head of a log was deleted: the index then starts after it. */
  readonly acceptsDeletedEvents: boolean
}

export interface IndexRebuildConnections extends Connections {
  /** Calls the owners, which rebuild the index. */
  readonly client: Pick<AnnalsClient, 'info' | 'owners'>
}

/** `rebuilt`: by its owner. `dropped`: the partition has no owner; the next one rebuilds the index. `stalled`: the owner makes no progress. */
export type RebuildStatus = 'rebuilt' | 'dropped' | 'stalled'

export interface RebuiltPartition {
  readonly topic: string
  readonly partition: number
  readonly status: RebuildStatus
  readonly streams: number
  /** The offset before which deleted events were accepted. */
  readonly acceptedBefore?: number
  readonly tookMs: number
}

/** `interrupted`: the index of the partitions that are not listed is unchanged. */
export interface IndexRebuild {
  readonly status: 'rebuilt' | 'interrupted'
  readonly cluster: NamedCluster
  readonly partitions: readonly RebuiltPartition[]
  readonly tookMs: number
}

type Progress = PhaseProgress<'rebuilding'>

const lookPauseMs = 100
/** An owner whose index makes no progress for this long has stalled. */
const stallMsMax = 60_000

/**
 * Drops the index partition by partition and waits until the owner has rebuilt it. One partition at a time is unavailable.
 * @throws EventStoreError `unavailable` before anything is dropped, if there are owners but no writer answers;
 *   LogError `events-deleted` before anything is dropped, if a log has lost its head and the request does not accept that;
 *   InvalidInputError, LogError, IndexUnavailableError.
 */
export function rebuildIndex(
  config: Config,
  connections: IndexRebuildConnections,
  request: IndexRebuildRequest,
  control: JobControl<'rebuilding'>,
): Promise<IndexRebuild> {
  const { signal } = control
  const rebuild = async () => {
    const planned = signal.aborted
      ? undefined
      : await unlessAborted(signal, plan(config, connections, request))
    const partitions = planned === undefined ? [] : await rebuildAll(planned, control)
    const status = signal.aborted ? ('interrupted' as const) : ('rebuilt' as const)
    return { status, cluster: clusterOf(connections.cluster, config), partitions }
  }
  return timed(rebuild)
}

interface PlannedRebuild {
  readonly rebuild: PartitionRebuild
  readonly end: number
  readonly isOwned: boolean
}

/** Checks everything before anything is dropped: a complete index can serve a log without its head, a rebuilt one cannot. */
async function plan(
  config: Config,
  connections: IndexRebuildConnections,
  request: IndexRebuildRequest,
): Promise<readonly PlannedRebuild[]> {
  const { cluster, client, redis } = connections
  const places = await placesOf(connections, config, request.types)
  const owners = await ownersNow(connections, config)
  if (owners.size > 0) await client.owners()
  const reader = new LogReader(cluster)
  const planned: PlannedRebuild[] = []
  for (const place of places) {
    const index = partitionIndex(config, redis, place)
    const head = new PartitionHead(place, index, reader, request.acceptsDeletedEvents)
    await head.check()
    const rebuild = new PartitionRebuild(place, index, head, client)
    const end = await reader.endOffset(place.topic, place.partition)
    planned.push({ rebuild, end, isOwned: owners.has(partitionKey(place)) })
  }
  return planned
}

async function rebuildAll(
  planned: readonly PlannedRebuild[],
  control: JobControl<'rebuilding'>,
): Promise<RebuiltPartition[]> {
  const total = planned.reduce((sum, { end }) => sum + end, 0)
  const progress = new PhaseProgress(control, { phase: 'rebuilding', unit: 'offsets' }, total)
  const partitions: RebuiltPartition[] = []
  for (const { rebuild, end, isOwned } of planned) {
    if (control.signal.aborted) break
    partitions.push(await rebuild.run(end, isOwned, progress))
  }
  return partitions
}

/** @throws OperationError for a type without a topic */
async function placesOf(
  { domain, cluster }: Connections,
  config: Config,
  types: readonly string[],
): Promise<LogPartition[]> {
  const aggregates = aggregatesAsked(domain, types)
  const described = await new Topics(cluster).describe(aggregates.map(({ type }) => eventTopic(type)))
  checkTopics(aggregates, types, described, clusterOf(cluster, config))
  return aggregates.flatMap(({ type }) => {
    const found = described.find(({ name }) => name === eventTopic(type))
    if (found === undefined) return []
    const { name: topic, topicId, partitions } = found
    return Array.from({ length: partitions }, (_, partition) => ({
      ...{ aggregateType: type, topic, topicId, partition, partitions },
    }))
  })
}

/** @throws OperationError during a rebalance, when the owners are unknown. */
async function ownersNow({ cluster }: Connections, { writer }: Config): Promise<OwnersTable> {
  const owners = await readOwners(cluster, writer.groupId)
  if (owners !== undefined) return owners
  const message = `group ${writer.groupId} of the writers is rebalancing: try again in a few seconds`
  throw new OperationError('unavailable', message)
}

class PartitionRebuild {
  readonly #place: LogPartition
  readonly #index: PartitionIndex
  readonly #head: PartitionHead
  readonly #client: Pick<AnnalsClient, 'info'>

  constructor(
    place: LogPartition,
    index: PartitionIndex,
    head: PartitionHead,
    client: Pick<AnnalsClient, 'info'>,
  ) {
    this.#place = place
    this.#index = index
    this.#head = head
    this.#client = client
  }

  async run(end: number, isOwned: boolean, progress: Progress): Promise<RebuiltPartition> {
    const beganMs = performance.now()
    await this.#head.accept()
    await this.#index.drop()
    const status = isOwned ? await this.#awaitOwner(end, progress) : 'dropped'
    const streams = await this.#index.streamCount()
    const { topic, partition } = this.#place
    const { acceptedBefore } = this.#head
    return {
      ...{ topic, partition, status, streams, tookMs: Math.round(performance.now() - beganMs) },
      ...(acceptedBefore > 0 && { acceptedBefore }),
    }
  }

  /** An idle owner does not read its index. A request for a stream makes it do so. */
  async #awaitOwner(end: number, progress: Progress): Promise<RebuildStatus> {
    const probe = probeStream(this.#place)
    let reached = 0
    let deadlineMs = performance.now() + stallMsMax
    const look = async () => {
      const { nextOffset = 0 } = (await this.#index.guard()) ?? {}
      const now = Math.min(end, nextOffset)
      if (now > reached) deadlineMs = performance.now() + stallMsMax
      progress.advance(Math.max(0, now - reached))
      reached = Math.max(reached, now)
    }
    while (performance.now() < deadlineMs) {
      const answer = this.#isServed(probe)
      while ((await Promise.race([answer, pause(lookPauseMs, 'waiting' as const)])) === 'waiting')
        await look()
      await look()
      if (await answer) {
        progress.advance(end - reached)
        return 'rebuilt'
      }
      await pause(lookPauseMs)
    }
    return 'stalled'
  }

  async #isServed(probe: StreamId): Promise<boolean> {
    try {
      await this.#client.info(probe)
      return true
    } catch (error) {
      if (!(error instanceof EventStoreError)) throw error
      if (error.code === 'stream-not-found') return true
      if (['unavailable', 'not-owner', 'overloaded'].includes(error.code)) return false
      if (error.code !== 'events-deleted') throw error
      // The owner still has the previous state, or more events were deleted since.
      await this.#head.check()
      await this.#head.accept()
      return false
    }
  }
}

/** The id of a stream in the partition that does not exist, so that reading it is cheap. */
function probeStream({ aggregateType, partition, partitions }: LogPartition): StreamId {
  for (let count = 0; ; count++) {
    const streamId = streamIdOf(aggregateType, `index-rebuild-probe-${count}`)
    if (partitionFor(streamId, partitions) === partition) return streamId
  }
}
