import { LRUCache } from 'lru-cache'

import type { StreamId, Version } from '#domain'
import { type FencedLog, LogError, type LogRecord } from '#kafka'
import type { PartitionIndex } from '#redis-index'

import { type EncodedSnapshot, noSnapshotRecord, toSnapshotRecord } from './snapshot-record.ts'

type OwnedLog = Pick<FencedLog, 'append' | 'renew' | 'close'>
type SnapshotIndex = Pick<PartitionIndex, 'saveSnapshot'>

interface Waiting {
  readonly record: LogRecord
  readonly done: () => void
  readonly fail: (error: unknown) => void
}

/** Bounds of one batch: records, and bytes of their states. A batch has at least one record. */
const batchRecordsMax = 500
const batchBytesMax = 256 * 1_024
/** Streams whose latest snapshot version is remembered. */
const rememberedMax = 20_000

/**
 * Stores the snapshots of one owner: first in their topic, behind the owner's fence, then in Redis. Snapshots that arrive
 * during an append go into the next one. The newest version of a stream is kept, in any order of arrival.
 */
export class SnapshotLog {
  readonly #log: OwnedLog
  readonly #index: SnapshotIndex
  readonly #newest = new LRUCache<StreamId, Version>({ max: rememberedMax })
  readonly #underWay = new Map<StreamId, Promise<void>>()
  readonly #waiting: Waiting[] = []
  #isAppending = false
  #topicId: string | undefined

  /** @param log taken over. */
  constructor(log: OwnedLog, index: SnapshotIndex) {
    this.#log = log
    this.#index = index
  }

  /** The version of the latest stored snapshot; 0 if it is not remembered. */
  newest(streamId: StreamId): number {
    return this.#newest.get(streamId) ?? 0
  }

  /** @param topicId of the event topic of all further states. */
  foldsFrom(topicId: string): void {
    this.#topicId = topicId
  }

  /** Forgets stored versions, so that all snapshots are stored again. */
  forget(): void {
    this.#newest.clear()
  }

  /** @throws LogError as an append does, with `refused` for this snapshot only; IndexUnavailableError. */
  store(snapshot: EncodedSnapshot): Promise<void> {
    const { streamId, version } = snapshot
    return this.#inTurn(streamId, async () => {
      if (this.newest(streamId) > version) return
      await this.#append(toSnapshotRecord(snapshot, this.#topicId))
      await this.#index.saveSnapshot(streamId, snapshot)
      this.#newest.set(streamId, version)
    })
  }

  /** Removes a stream's snapshot from the topic, unless a new one has been stored. @throws LogError */
  remove(streamId: StreamId): Promise<void> {
    return this.#inTurn(streamId, async () => {
      if (!this.#newest.has(streamId)) await this.#append(noSnapshotRecord(streamId))
    })
  }

  renewFence(): Promise<void> {
    return this.#log.renew()
  }

  close(): void {
    this.#log.close()
  }

  /** Runs the tasks of one stream one at a time. */
  async #inTurn(streamId: StreamId, work: () => Promise<void>): Promise<void> {
    for (let other; (other = this.#underWay.get(streamId)) !== undefined;) await other.catch(() => undefined)
    const working = work().finally(() => this.#underWay.delete(streamId))
    this.#underWay.set(streamId, working)
    await working
  }

  async #append(record: LogRecord): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    this.#waiting.push({ record, done: () => resolve(undefined), fail: reject })
    if (!this.#isAppending) void this.#appendAll()
    await promise
  }

  async #appendAll(): Promise<void> {
    this.#isAppending = true
    while (this.#waiting.length > 0) await this.#appendBatch(this.#takeBatch())
    this.#isAppending = false
  }

  #takeBatch(): Waiting[] {
    let bytes = 0
    const end = this.#waiting.findIndex(({ record }, index) => {
      bytes += record.value?.length ?? 0
      return index === batchRecordsMax || (index > 0 && bytes > batchBytesMax)
    })
    return this.#waiting.splice(0, end < 0 ? batchRecordsMax : end)
  }

  async #appendBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#log.append(batch.map(({ record }) => record))
      for (const { done } of batch) done()
    } catch (error) {
      const isRefused = error instanceof LogError && error.outcome === 'refused'
      // A snapshot that the topic rejects must not fail the others of its batch.
      if (isRefused && batch.length > 1) for (const one of batch) await this.#appendBatch([one])
      else for (const { fail } of batch) fail(error)
    }
  }
}
