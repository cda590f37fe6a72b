import type { Caller } from '#access'
import { aggregateTypeOf, partitionKey, partitionOfStream, type StreamId } from '#domain'
import {
  EventStoreError,
  type SnapshotCleanup,
  type SnapshotRebuild,
  type SnapshotsApi,
  type SnapshotStatistics,
  type SnapshotTaken,
} from '#event-store'
import { type KafkaCluster, type LogReader, type RoutingTable } from '#kafka'
import { type PartitionGroup, refusedByPeer } from '#ownership'
import { type RedisConnection, SnapshotCheckpoint } from '#redis-index'
import { ownContext, type RequestContext } from '#service'

import {
  type CheckpointState,
  moveCheckpoint,
  readCheckpoint,
  rebuildProgress,
} from './partition/checkpoint.ts'
import type { PartitionSnapshotter } from './partition/partition-snapshotter.ts'
import { callersError } from './partition/passing-errors.ts'
import type { SnapshotTopic, SnapshotTopics } from './snapshot-topics.ts'
import type { SnapshotterMetrics } from './snapshotter-metrics.ts'
import { SnapshotCounter } from './topic/snapshot-counts.ts'

interface RoutedSnapshotsParts {
  readonly topics: SnapshotTopics
  readonly cluster: KafkaCluster
  readonly redis: RedisConnection
  readonly reader: LogReader
  readonly group: Pick<PartitionGroup<PartitionSnapshotter>, 'ownerOf' | 'ownersTable'>
  /** The instance at a URL, for requests in the name of a caller. */
  readonly peerAt: (url: string, caller: Caller) => SnapshotsApi
  readonly ownUrl: string
  readonly metrics: SnapshotterMetrics
}

/** The snapshots of all instances: requests for partitions of another instance are forwarded to it. */
export class RoutedSnapshots implements SnapshotsApi {
  readonly #parts: RoutedSnapshotsParts
  readonly #counter: SnapshotCounter

  constructor(parts: RoutedSnapshotsParts) {
    this.#parts = parts
    this.#counter = new SnapshotCounter(parts.reader)
  }

  async snapshot(
    streamId: StreamId,
    { forwarded, caller }: RequestContext = ownContext,
  ): Promise<SnapshotTaken> {
    const { topics, group, peerAt } = this.#parts
    const { partitions } = topics.of(aggregateTypeOf(streamId))
    const place = partitionOfStream(streamId, partitions)
    const key = partitionKey(place)
    const here = group.ownerOf(place)
    if (here !== undefined) return here.take(streamId)
    const url = forwarded ? undefined : (await this.#owners()).get(key)?.url
    if (url === undefined || url === this.#parts.ownUrl) throw notOwner(key)
    return fromPeer(peerAt(url, caller).snapshot(streamId))
  }

  snapshots(): Promise<readonly SnapshotStatistics[]> {
    return Promise.all(this.#parts.topics.all.map((topic) => this.#statistics(topic)))
  }

  async rebuildSnapshots(aggregateType: string): Promise<SnapshotRebuild> {
    const found = this.#parts.topics.of(aggregateType)
    const startedAtMs = Date.now()
    return rebuildProgress(
      await passing(Promise.all(partitionsOf(found).map((it) => this.#startRebuild(found, it, startedAtMs)))),
    )
  }

  async snapshotRebuild(aggregateType: string): Promise<SnapshotRebuild> {
    return this.#rebuildOf(this.#parts.topics.of(aggregateType))
  }

  async cleanUpSnapshots(
    aggregateType: string,
    { forwarded, caller }: RequestContext = ownContext,
  ): Promise<SnapshotCleanup> {
    const found = this.#parts.topics.of(aggregateType)
    const { group } = this.#parts
    const places = partitionsOf(found).map((partition) => ({ topic: found.topic, partition }))
    const here = places.flatMap((place) => group.ownerOf(place) ?? [])
    const elsewhere = forwarded
      ? []
      : places.filter((place) => group.ownerOf(place) === undefined).map(partitionKey)
    const removed = await Promise.all([
      ...here.map((owner) => owner.cleanUp()),
      ...(elsewhere.length === 0 ? [] : await this.#cleanUpElsewhere(aggregateType, elsewhere, caller)),
    ])
    return { aggregateType, removed: removed.reduce((sum, count) => sum + count, 0) }
  }

  async #cleanUpElsewhere(
    aggregateType: string,
    keys: readonly string[],
    caller: Caller,
  ): Promise<Promise<number>[]> {
    const owners = await this.#owners()
    const urls = keys.map((key) => {
      const url = owners.get(key)?.url
      if (url === undefined || url === this.#parts.ownUrl) throw notOwner(key)
      return url
    })
    return [...new Set(urls)].map(async (url) => {
      const { removed } = await fromPeer(this.#parts.peerAt(url, caller).cleanUpSnapshots(aggregateType))
      return removed
    })
  }

  async #statistics(found: SnapshotTopic): Promise<SnapshotStatistics> {
    const { type, snapshot } = found.aggregate
    const { every, stateVersion } = snapshot
    const counts = await passing(this.#counter.counts(type, found.partitions, stateVersion))
    const builds = this.#parts.metrics.builds(type)
    return {
      aggregateType: type,
      every,
      stateVersion,
      ...counts,
      builds,
      rebuild: await this.#rebuildOf(found),
    }
  }

  async #rebuildOf(found: SnapshotTopic): Promise<SnapshotRebuild> {
    const reads = partitionsOf(found).map((partition) => readCheckpoint(this.#checkpoint(found, partition)))
    return rebuildProgress((await passing(Promise.all(reads))).map(({ state }) => state))
  }

  /** Resets a partition's checkpoint to the start of its log. The owner notices within a second. */
  async #startRebuild(
    found: SnapshotTopic,
    partition: number,
    startedAtMs: number,
  ): Promise<CheckpointState> {
    const { reader, cluster } = this.#parts
    const { topic, aggregate } = found
    const { topicId } = await cluster.topic(topic)
    const from = await reader.startOffset(topic, partition)
    const until = await reader.endOffset(topic, partition)
    const range = { startedAtMs, from, until, ...(until <= from && { finishedAtMs: startedAtMs }) }
    const { stateVersion } = aggregate.snapshot
    const checkpoint = this.#checkpoint(found, partition)
    for (;;) {
      const { text, state } = await readCheckpoint(checkpoint)
      const wanted = { topicId, stateVersion, nextOffset: from, owner: state?.owner ?? '', rebuild: range }
      const moved = await moveCheckpoint(checkpoint, text, wanted)
      if (moved !== undefined) return moved.state
    }
  }

  #checkpoint({ topic }: SnapshotTopic, partition: number): SnapshotCheckpoint {
    return new SnapshotCheckpoint(this.#parts.redis, topic, partition)
  }

  #owners(): Promise<RoutingTable> {
    return passing(this.#parts.group.ownersTable())
  }
}

const partitionsOf = ({ partitions }: SnapshotTopic): number[] =>
  Array.from({ length: partitions }, (_, partition) => partition)

const passing = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw callersError(error)
  })

const fromPeer = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw refusedByPeer(error)
  })

const notOwner = (partition: string): EventStoreError =>
  new EventStoreError('not-owner', `no known snapshotter owns ${partition}`, {
    retryAfterSeconds: 1,
  })
