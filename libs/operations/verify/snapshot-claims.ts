import { InvalidInputError, parseStreamId, parseVersion, snapshotTopic, type StreamId } from '#domain'
import { type LogReader, type StoredRecord } from '#kafka'
import { type EventCodec, SchemaError } from '#schemas'

import type { LogPartition } from './check-record.ts'
import type { Findings } from './finding.ts'
import type { StreamClaim } from './index-claims.ts'
import type { StreamSample } from './sample.ts'

/** The state of a stream at a version, according to a snapshot. */
export interface SnapshotClaim {
  readonly source: 'topic' | 'Redis'
  readonly version: number
  readonly state: unknown
}

interface EncodedClaim {
  readonly version: number
  readonly stateVersion: number
  readonly state: Buffer
}

interface SnapshotClaimsOptions {
  readonly codec: Pick<EventCodec, 'decodeMany'>
  readonly findings: Findings
  readonly sample: StreamSample
  /** Snapshots of other state versions are outdated. */
  readonly stateVersion: number
}

/** The snapshots of the streams of one partition. */
export class SnapshotClaims {
  readonly #options: SnapshotClaimsOptions
  readonly #place: LogPartition
  readonly #byStream = new Map<StreamId, SnapshotClaim[]>()
  /** Number of snapshots that are not used, because of their state version or topic. */
  outdated = 0

  constructor(place: LogPartition, options: SnapshotClaimsOptions) {
    this.#place = place
    this.#options = options
  }

  of(streamId: StreamId): readonly SnapshotClaim[] {
    return this.#byStream.get(streamId) ?? []
  }

  get streams(): readonly StreamId[] {
    return [...this.#byStream.keys()]
  }

  async addFromIndex(streams: ReadonlyMap<StreamId, StreamClaim>): Promise<void> {
    for (const [streamId, { snapshot }] of streams) {
      if (snapshot !== undefined) await this.#add('Redis', streamId, snapshot)
    }
  }

  /** Adds the last snapshot of each stream in the topic. @throws LogError */
  async addFromTopic(reader: LogReader): Promise<void> {
    const topic = snapshotTopic(this.#place.aggregateType)
    const { partition } = this.#place
    const last = new Map<string, StoredRecord>()
    const from = await reader.startOffset(topic, partition)
    for await (const records of reader.read(topic, partition, { from })) {
      for (const record of records) {
        const key = record.key.toString()
        if (this.#options.sample.has(key)) last.set(key, record)
      }
    }
    for (const record of last.values()) await this.#addRecord({ topic, partition }, record)
  }

  async #addRecord(at: { topic: string; partition: number }, record: StoredRecord): Promise<void> {
    if (record.value === null) return
    try {
      const claim = encodedClaim(record, record.value)
      if (this.#isOfAnotherLog(record)) {
        this.outdated++
        return
      }
      await this.#add('topic', parseStreamId(record.key.toString()), claim)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      const where = { ...at, offset: record.offset }
      this.#options.findings.add('snapshots', 'snapshot-unreadable', error.message, where)
    }
  }

  /** Whether the event topic was recreated since. Snapshots of older releases have no topic id. */
  #isOfAnotherLog({ headers }: StoredRecord): boolean {
    const topicId = headers.find(([header]) => header === 'topicid')?.[1].toString()
    return topicId !== undefined && topicId !== this.#place.topicId
  }

  async #add(source: SnapshotClaim['source'], streamId: StreamId, claim: EncodedClaim): Promise<void> {
    const { codec, findings, stateVersion } = this.#options
    const { version } = claim
    if (claim.stateVersion !== stateVersion) {
      this.outdated++
      return
    }
    try {
      const [decoded] = await codec.decodeMany([claim.state])
      const claims = this.#byStream.get(streamId) ?? []
      this.#byStream.set(streamId, [...claims, { source, version, state: decoded?.data }])
    } catch (error) {
      if (isPassing(error)) throw error
      const message = `the snapshot in ${storeOf(source)} cannot be read: ${(error as Error).message}`
      const at = { topic: this.#place.topic, partition: this.#place.partition, streamId, version }
      findings.add('snapshots', 'snapshot-unreadable', message, at)
    }
  }
}

/** The name of the store in messages. */
export const storeOf = (source: SnapshotClaim['source']): string =>
  source === 'topic' ? 'its topic' : 'Redis'

const isPassing = (error: unknown): boolean =>
  error instanceof SchemaError && error.code === 'registry-unreachable'

/** Parsed here and not by the code of the snapshotter, so that the verification does not share its bugs. */
function encodedClaim({ headers }: StoredRecord, state: Buffer): EncodedClaim {
  const text = (name: string) => headers.find(([header]) => header === name)?.[1].toString()
  return {
    version: parseVersion(text('streamversion'), 'headers.streamversion'),
    stateVersion: parseVersion(text('stateversion'), 'headers.stateversion'),
    state,
  }
}
