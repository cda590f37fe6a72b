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

/** Records of one batch, and bytes of their states; a batch has at least one record. */
const batchRecordsMax = 500
const batchBytesMax = 256 * 1_024
/** Streams whose latest snapshot is remembered. */
const rememberedMax = 20_000

/**
 * Where one owner of a partition puts snapshots: into their topic, behind the owner's fence, then into Redis. What comes while an
 * append is under way travels in the next one. Of one stream the newest version stays, in whatever order they come.
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

  /** The version of the latest snapshot that was stored here, as far as it is remembered; 0 otherwise. */
  newest(streamId: StreamId): number {
    return this.#newest.get(streamId) ?? 0
  }

  /** @param topicId of the event topic that states are folded from, from now on. */
  foldsFrom(topicId: string): void {
    this.#topicId = topicId
  }

  /** All snapshots are to be stored again. */
  forget(): void {
    this.#newest.clear()
  }

  /** @throws LogError as of an append: `refused` for this snapshot alone; IndexUnavailableError. */
  store(snapshot: EncodedSnapshot): Promise<void> {
    const { streamId, version } = snapshot
    return this.#inTurn(streamId, async () => {
      if (this.newest(streamId) > version) return
      await this.#append(toSnapshotRecord(snapshot, this.#topicId))
      await this.#index.saveSnapshot(streamId, snapshot)
      this.#newest.set(streamId, version)
    })
  }

  /** Takes a stream's snapshot out of the topic, unless a new one has been stored here. @throws LogError */
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

  /** One after the other for each stream. */
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
      // One that the topic does not take must not cost the others of its batch.
      if (isRefused && batch.length > 1) for (const one of batch) await this.#appendBatch([one])
      else for (const { fail } of batch) fail(error)
    }
  }
}
