import { newEventId, noVersion, position, streamIdOf, versionAfter } from '#domain'
import type { FedEvent } from '#event-log/records'
import { LogError, type StoredRecord } from '#kafka'

import type { FeedReader } from '../shared-log.ts'

interface Fetching {
  readonly offset: number
  readonly lane: string
}

const recordAt = (offset: number): StoredRecord => ({
  offset,
  key: Buffer.from('order.1'),
  value: Buffer.alloc(0),
  headers: [],
  timestampMs: 0,
})

/** One partition in memory that behaves like Kafka: it returns pieces, waits at the end, and rejects offsets outside of the log. */
export class LogDouble implements FeedReader {
  /** Maximum records of one piece. */
  recordsMax = 10
  start = 0
  end = 0
  /** The error of the next fetches. */
  failure: Error | undefined
  readonly fetches: Fetching[] = []
  readonly offsets: number[] = []
  #moved = Promise.withResolvers<undefined>()

  /** Appends records, followed by offsets without records. */
  append(count: number, markers = 0): void {
    for (let n = 0; n < count; n++) this.offsets.push(this.end++)
    this.end += markers
    this.#wake()
  }

  fail(error: Error): void {
    this.failure = error
    this.#wake()
  }

  async fetch(
    _topic: string,
    _partition: number,
    offset: number,
    { lane, waitMsMax }: { readonly lane: string; readonly waitMsMax: number },
  ) {
    this.fetches.push({ offset, lane })
    await new Promise(setImmediate)
    if (offset < this.start || offset > this.end)
      throw new LogError('not-there', `offset ${offset} is outside`)
    if (offset === this.end) await this.#wait(waitMsMax)
    if (this.failure !== undefined) throw this.failure
    const rest = this.offsets.filter((candidate) => candidate >= offset)
    return {
      records: rest.slice(0, this.recordsMax).map(recordAt),
      strays: [],
      nextOffset: rest[this.recordsMax] ?? this.end,
      highWatermark: this.end,
    }
  }

  fetchAt(topic: string, partition: number, offsets: readonly number[]): Promise<StoredRecord[]> {
    const missing = offsets.find((offset) => !this.offsets.includes(offset))
    return missing === undefined
      ? Promise.resolve(offsets.map(recordAt))
      : Promise.reject(new LogError('not-there', `no record at ${topic}/${partition}/${missing}`))
  }

  startOffset(): Promise<number> {
    return Promise.resolve(this.start)
  }

  endOffset(): Promise<number> {
    return Promise.resolve(this.end)
  }

  /** Waits a hundredth of the requested time. */
  async #wait(waitMsMax: number): Promise<void> {
    const late = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => late.resolve(undefined), waitMsMax / 100)
    await Promise.race([this.#moved.promise, late.promise])
    clearTimeout(timer)
  }

  #wake(): void {
    this.#moved.resolve(undefined)
    this.#moved = Promise.withResolvers()
  }
}

/** Decodes records to events that have only a position, and counts them. */
export class FormatDouble {
  decoded = 0

  decodeEach(topic: string, partition: number, records: readonly StoredRecord[]): Promise<FedEvent[]> {
    this.decoded += records.length
    return Promise.resolve(
      records.map(({ offset }) => ({
        id: newEventId(),
        streamId: streamIdOf('order', '1'),
        type: 'OrderPlaced',
        version: versionAfter(noVersion),
        position: position(topic, partition, offset),
        timestamp: new Date(0).toISOString(),
        data: {},
        metadata: {},
      })),
    )
  }
}
