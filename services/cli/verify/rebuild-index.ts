import { setTimeout as pause } from 'node:timers/promises'

import type { AnnalsClient } from '#client'
import { type Config, type Environment, loadConfig } from '#config'
import { eventTopic, partitionFor, partitionKey, type StreamId, streamIdOf } from '#domain'
import { EventStoreError } from '#event-store'
import { LogReader, type OwnersTable, readOwners, Topics } from '#kafka'
import type { PartitionIndex } from '#redis-index'
import { type Connections, withConnections } from '#service'

import { aggregatesAsked } from '../aggregates-asked.ts'
import type { Report } from '../cli.ts'
import { CommandError } from '../failure.ts'
import { checkTopics } from '../missing-topics.ts'
import { clusterOf, type NamedCluster, ofCluster } from '../named-cluster.ts'
import { partitionIndex } from '../partition-index.ts'
import type { ProgressDisplay } from '../progress-display.ts'
import { ProgressMeter } from '../progress-meter.ts'
import { grouped } from '../progress-text.ts'
import { table } from '../table.ts'
import type { LogPartition } from './check-record.ts'
import { PartitionHead } from './partition-head.ts'

export interface IndexRebuildOptions {
  /** Aggregate types; none means all of the domain. */
  readonly types: readonly string[]
  /** Serves what is left where the head of a log was deleted. For good: the index then begins there. */
  readonly acceptsDeletedEvents: boolean
  readonly client: Pick<AnnalsClient, 'info' | 'owners'>
  readonly display: ProgressDisplay
  readonly signal: AbortSignal
}

/** `rebuilt`: by its owner. `dropped`: nobody owns the partition; whoever takes it over rebuilds it. `stalled`: the owner does not get on. */
export type RebuildStatus = 'rebuilt' | 'dropped' | 'stalled'

export interface RebuiltPartition {
  readonly topic: string
  readonly partition: number
  readonly status: RebuildStatus
  readonly streams: number
  /** The offset before which deleted events were accepted as gone. */
  readonly acceptedBefore?: number
  readonly tookMs: number
}

export interface IndexRebuild {
  readonly cluster: NamedCluster
  readonly partitions: readonly RebuiltPartition[]
  readonly isInterrupted: boolean
  readonly tookMs: number
}

const lookPauseMs = 100
/** An owner that brings its index no further for so long is in trouble. */
const stallMsMax = 60_000

/**
 * Drops the index partition by partition, and waits until its owner has rebuilt it: one partition at a time is away.
 * @throws EventStoreError `unavailable` before anything is dropped, when no writer answers though there are owners;
 *   LogError `events-deleted` before anything is dropped, where a log has lost its head and that is not accepted;
 *   InvalidInputError, LogError, IndexUnavailableError.
 */
export function rebuildIndex(env: Environment, options: IndexRebuildOptions): Promise<IndexRebuild> {
  const config = loadConfig(env)
  return withConnections(config, async (connections) => {
    const beganMs = performance.now()
    const places = await placesOf(connections, config, options.types)
    const owners = await ownersNow(connections, config)
    if (owners.size > 0) await options.client.owners()
    const reader = new LogReader(connections.cluster)
    const heads = new Map(
      places.map((place) => {
        const index = partitionIndex(config, connections.redis, place)
        return [place, new PartitionHead(place, index, reader, options.acceptsDeletedEvents)]
      }),
    )
    // Before anything is dropped: an index that is whole serves a log without its head, a rebuilt one cannot.
    for (const head of heads.values()) await head.check()
    const ends = await Promise.all(places.map(({ topic, partition }) => reader.endOffset(topic, partition)))
    const meter = new ProgressMeter(
      options.display,
      ends.reduce((sum, end) => sum + end, 0),
    )
    const partitions: RebuiltPartition[] = []
    for (const [at, place] of places.entries()) {
      if (options.signal.aborted) break
      const rebuild = new PartitionRebuild(
        place,
        partitionIndex(config, connections.redis, place),
        heads.get(place) as PartitionHead,
        options.client,
      )
      partitions.push(await rebuild.run(ends[at] ?? 0, owners.has(partitionKey(place)), meter))
    }
    meter.end()
    return {
      cluster: clusterOf(connections.cluster, config),
      ...{ partitions, isInterrupted: options.signal.aborted, tookMs: performance.now() - beganMs },
    }
  })
}

/** @throws CommandError for a type without a topic */
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

/** @throws CommandError while partitions are moving: who owns which is then not known. */
async function ownersNow({ cluster }: Connections, { writer }: Config): Promise<OwnersTable> {
  const owners = await readOwners(cluster, writer.groupId)
  if (owners !== undefined) return owners
  const message = `the writers of group ${writer.groupId} are sharing out the partitions anew: try again in some seconds`
  throw new CommandError({ exitCode: 3, code: 'unavailable', message })
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

  async run(end: number, isOwned: boolean, meter: ProgressMeter): Promise<RebuiltPartition> {
    const beganMs = performance.now()
    await this.#head.accept()
    await this.#index.drop()
    const status = isOwned ? await this.#awaitOwner(end, meter) : 'dropped'
    const streams = await this.#index.streamCount()
    const { topic, partition } = this.#place
    const { acceptedBefore } = this.#head
    return {
      ...{ topic, partition, status, streams, tookMs: Math.round(performance.now() - beganMs) },
      ...(acceptedBefore > 0 && { acceptedBefore }),
    }
  }

  /** An owner that has nothing to do does not look at its index: being asked for a stream makes it. */
  async #awaitOwner(end: number, meter: ProgressMeter): Promise<RebuildStatus> {
    const probe = probeStream(this.#place)
    let reached = 0
    let deadlineMs = performance.now() + stallMsMax
    const look = async () => {
      const { nextOffset = 0 } = (await this.#index.guard()) ?? {}
      const now = Math.min(end, nextOffset)
      if (now > reached) deadlineMs = performance.now() + stallMsMax
      meter.advance(Math.max(0, now - reached))
      reached = Math.max(reached, now)
    }
    while (performance.now() < deadlineMs) {
      const answer = this.#isServed(probe)
      while ((await Promise.race([answer, pause(lookPauseMs, 'waiting' as const)])) === 'waiting')
        await look()
      await look()
      if (await answer) {
        meter.advance(end - reached)
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
      // As it was before it was accepted; or more was deleted since.
      await this.#head.check()
      await this.#head.accept()
      return false
    }
  }
}

/** A stream of the partition that nobody has: to ask for it costs next to nothing. */
function probeStream({ aggregateType, partition, partitions }: LogPartition): StreamId {
  for (let count = 0; ; count++) {
    const streamId = streamIdOf(aggregateType, `index-rebuild-probe-${count}`)
    if (partitionFor(streamId, partitions) === partition) return streamId
  }
}

/** What a person and a program are told of it. */
export function rebuildReport({ cluster, partitions, isInterrupted, tookMs }: IndexRebuild): Report {
  const isStalled = partitions.some(({ status }) => status === 'stalled')
  const took = `in ${(tookMs / 1_000).toFixed(1)} s`
  const rows = partitions.map((it) => [
    it.topic,
    it.partition,
    it.status,
    grouped(it.streams),
    `${it.tookMs} ms`,
  ])
  return ofCluster(cluster, {
    document: { partitions, interrupted: isInterrupted, tookMs: Math.round(tookMs) },
    text: [
      ...(rows.length === 0 ? [] : [table(['topic', 'partition', 'index', 'streams', 'took'], rows)]),
      ...accepted(partitions),
      ...advice(partitions),
      isInterrupted
        ? `Interrupted ${took}: the index of the other partitions is as it was. Run it again for those`
        : `${partitions.length} partitions, ${took}`,
    ].join('\n'),
    exitCode: isInterrupted ? 130 : isStalled ? 1 : 0,
  })
}

const accepted = (partitions: readonly RebuiltPartition[]): string[] =>
  partitions.flatMap(({ topic, partition, acceptedBefore }) =>
    acceptedBefore === undefined
      ? []
      : [
          `${topic}/${partition} is served from offset ${acceptedBefore} on: the events before it are gone for good`,
        ],
  )

const advices: Partial<Record<RebuildStatus, string>> = {
  dropped: 'Where the index is dropped nobody owns the partition: the writer that takes it over rebuilds it',
  stalled: 'Where it is stalled the owner does not get on: its log says why',
}

const advice = (partitions: readonly RebuiltPartition[]): string[] =>
  [...new Set(partitions.map(({ status }) => status))].flatMap((status) => advices[status] ?? [])
