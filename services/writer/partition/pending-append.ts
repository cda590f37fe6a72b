import type { AppendResult, EventId, ExpectedVersion, StreamId } from '#domain'
import type { EncodedNewEvent } from '#event-log'
import type { EventStoreError } from '#event-store'
import { activeSpan } from '#observability'

/** What key, headers and framing of a record take beside the stream id and the metadata, rounded up. */
const headerBytes = 300

const metadataBytes = ({ type, metadata }: EncodedNewEvent): number =>
  Object.entries(metadata).reduce(
    (sum, [name, value]) => sum + 24 + name.length + Buffer.byteLength(String(value)),
    24 + Buffer.byteLength(type),
  )

/** An append on its way through a partition, and where its one answer goes. */
export class PendingAppend {
  readonly streamId: StreamId
  readonly expectedVersion: ExpectedVersion
  readonly events: readonly EncodedNewEvent[]
  readonly eventIds: readonly EventId[]
  /** As they stand in the log, about: with the room that headers take. */
  readonly bytes: number
  /** By `performance.now()`. */
  readonly deadlineMs: number
  readonly answer: Promise<AppendResult>
  /** The span that it came in; undefined while nothing is traced. */
  readonly span = activeSpan()
  /** Whether its events may have reached the log: from then on no answer may deny that. */
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
