import type { AppendResult, EventId, ExpectedVersion, StreamId } from '#domain'
import type { EncodedNewEvent } from '#event-log'
import type { EventStoreError } from '#event-store'
import { activeSpan } from '#observability'

/** Bytes of a record's key, headers and framing besides the stream id and the metadata, rounded up. */
const headerBytes = 300

const metadataBytes = ({ type, metadata }: EncodedNewEvent): number =>
  Object.entries(metadata).reduce(
    (sum, [name, value]) => sum + 24 + name.length + Buffer.byteLength(String(value)),
    24 + Buffer.byteLength(type),
  )

/** An append in a partition, and the promise of its single answer. */
export class PendingAppend {
  readonly streamId: StreamId
  readonly expectedVersion: ExpectedVersion
  readonly events: readonly EncodedNewEvent[]
  readonly eventIds: readonly EventId[]
  /** Approximate size in the log, including headers. */
  readonly bytes: number
  /** By `performance.now()`. */
  readonly deadlineMs: number
  readonly answer: Promise<AppendResult>
  /** The span of the append; undefined if it is not traced. */
  readonly span = activeSpan()
  /** Whether its events may have reached the log. From then on no answer may state that they have not. */
  sent = false
  readonly #deferred = Promise.withResolvers<AppendResult>()

  constructor(
    streamId: StreamId,
    expectedVersion: ExpectedVersion,
    events: readonly EncodedNewEvent[],
    deadlineMs: number,
  ) {
    this.streamId = streamId
    this.expectedVersion = expectedVersion
    this.events = events
    this.eventIds = events.map((event) => event.id)
    const perEvent = headerBytes + 2 * Buffer.byteLength(streamId)
    this.bytes = events.reduce((sum, event) => sum + perEvent + event.value.length + metadataBytes(event), 0)
    this.deadlineMs = deadlineMs
    this.answer = this.#deferred.promise
  }

  accept(result: AppendResult): void {
    this.#deferred.resolve(result)
  }

  refuse(error: EventStoreError): void {
    this.#deferred.reject(error)
  }
}
