import { subscriberTurns } from '#bounds'
import { partitionFor, type Projection, projectionTopic, type TopicPartition } from '#domain'
import { type FeedReader, formatCursor, type Offsets, parseCursor, SharedLog, subscribed } from '#event-log'
import { type EventStoreError, invalidRequest, parseRequest } from '#event-store'
import { LogError, type StoredRecord } from '#kafka'
import { ProjectionError, type UpdatesQuery, type ViewUpdate } from '#projections'
import { SchemaError } from '#schemas'

import type { ChangeAt, ChangeBatch, ProjectorApi } from '../projector-api.ts'
import { type ViewCodec, ViewFormat, type ViewSchema } from './view-format.ts'
import { changedAtOf } from './view-record.ts'

export interface ChangelogReaderParts {
  /** Should fetch moderate sizes: each fetch is decoded for all subscribers at that offset. */
  readonly reader: Pick<FeedReader, 'fetch' | 'startOffset' | 'endOffset'>
  readonly codec: ViewCodec
  readonly projections: readonly Projection[]
  /** Partitions of each changelog topic. */
  readonly partitions: number
  /** Whether changes are published to the changelog. */
  readonly changelog: boolean
  /** Memory for decoded changes that subscribers share. */
  readonly keptBytesMax: number
}

/** A decoded change that all subscribers share. */
interface Change extends Pick<ChangeAt, 'change'> {
  readonly offset: number
}

/**
 * Live changes of views, read from the changelog topics by any instance. A change may be delivered twice, because it
 * may be published again after a crash. Each change is read and decoded once for all subscribers of this instance.
 */
export class ChangelogReader implements Pick<
  ProjectorApi,
  'updates' | 'subscribe' | 'checkUpdates' | 'cursorNow'
> {
  readonly #parts: ChangelogReaderParts
  readonly #schemas: ReadonlyMap<string, ViewSchema>
  readonly #log: SharedLog<Change>

  constructor(parts: ChangelogReaderParts) {
    this.#parts = parts
    this.#schemas = new Map(parts.projections.map((projection) => [projection.name, projection]))
    const schemas = new Map(parts.projections.map((each) => [projectionTopic(each.name), each]))
    const format = new ViewFormat(parts.codec)
    this.#log = new SharedLog({
      reader: parts.reader,
      decode: (source, records) => changesOf(format, schemas.get(source.topic), source, records),
      keptBytesMax: parts.keptBytesMax,
      lanes: { head: 'views', behind: 'view-subscribers', behindMax: 4 },
      behindAtOnceMax: 4,
      keepsPast: true,
      skipsDeleted: true,
    })
  }

  /** Approximate memory of the decoded changes that subscribers share. */
  get keptBytes(): number {
    return this.#log.keptBytes
  }

  /** @throws EventStoreError `projection-not-found`, `invalid-request` (a malformed cursor, no changelog), `unavailable` */
  async *updates(name: string, query: UpdatesQuery, signal: AbortSignal): AsyncGenerator<ViewUpdate> {
    for await (const { changes } of this.subscribe(name, query, signal)) {
      for (const { change, cursor } of changes) yield { ...change, cursor }
    }
  }

  /** Like `updates`, in batches. A batch without changes reports a moved cursor. */
  async *subscribe(
    name: string,
    query: UpdatesQuery,
    signal: AbortSignal,
  ): AsyncGenerator<ChangeBatch, void, void> {
    const { name: found } = this.#find(name)
    const [offsets, partitions] = [this.#startOf(query), this.#partitionsOf(query)]
    const wanted = (change: Change): change is Change =>
      query.key === undefined || change.change.key === query.key
    const topic = projectionTopic(found)
    const asked = { log: this.#log, offsetOf, topic, offsets, partitions, wanted }
    try {
      for await (const { items, cursor } of subscribed(asked, signal)) {
        yield { changes: items.map(({ item, cursor: at }) => ({ change: item.change, cursor: at })), cursor }
      }
    } catch (error) {
      throw readError(error)
    }
  }

  /** Checks that a subscription can start. @throws EventStoreError like `updates` */
  async checkUpdates(name: string, query: UpdatesQuery): Promise<void> {
    const topic = projectionTopic(this.#find(name).name)
    if (query.cursor === undefined) return
    const offsets = this.#startOf(query)
    const beyond = await this.#log.beyondEnd(topic, this.#partitionsOf(query), offsets).catch(failRead)
    if (beyond === undefined) return
    const { partition, offset, end } = beyond
    throw beyondEnd(`it is at offset ${offset} of ${topic}/${partition}, which ends at ${end}`)
  }

  /** @throws EventStoreError like `updates` */
  async cursorNow(name: string): Promise<string> {
    const topic = projectionTopic(this.#find(name).name)
    try {
      const ends = this.#all().map((partition) => this.#parts.reader.endOffset(topic, partition))
      return formatCursor(await Promise.all(ends))
    } catch (error) {
      throw readError(error)
    }
  }

  #find(name: string): ViewSchema {
    const schema = this.#schemas.get(name)
    if (schema === undefined) {
      throw new ProjectionError('projection-not-found', `there is no projection ${name}`)
    }
    if (this.#parts.changelog) return schema
    throw invalidRequest(
      'projection',
      `there are no live changes of ${name}: the changelog is switched off by ANNALS_PROJECTOR_CHANGELOG`,
    )
  }

  #all(): number[] {
    return Array.from({ length: this.#parts.partitions }, (_, partition) => partition)
  }

  #partitionsOf({ key }: UpdatesQuery): readonly number[] {
    return key === undefined ? this.#all() : [partitionFor(key, this.#parts.partitions)]
  }

  #startOf({ cursor }: UpdatesQuery): Offsets {
    if (cursor === undefined) return this.#all().fill(0)
    return parseRequest(() => parseCursor(cursor, this.#parts.partitions))
  }
}

/** Views that predate a breaking change of their schema are skipped. */
async function changesOf(
  format: ViewFormat,
  schema: ViewSchema | undefined,
  { topic }: TopicPartition,
  records: readonly StoredRecord[],
): Promise<readonly Change[]> {
  if (schema === undefined) throw new Error(`${topic} belongs to no projection of this instance`)
  const values = records.map(({ value }) => value)
  const views = await format.decode(schema, values, subscriberTurns)
  return records.flatMap((record, index) => {
    const view = views[index]
    return view === undefined ? [] : [changeOf(record, view)]
  })
}

const changeOf = (record: StoredRecord, view: unknown): Change => ({
  change: { key: record.key.toString(), view, changedAt: changedAtOf(record) },
  offset: record.offset,
})

const offsetOf = ({ offset }: Change): number => offset

/** Transient errors, and those that another instance may not have, are retryable. A cursor beyond the end is not. */
function readError(error: unknown): unknown {
  if (error instanceof LogError && error.outcome === 'not-there') {
    return beyondEnd(error.message)
  }
  const passes =
    (error instanceof LogError && error.outcome === 'unavailable') ||
    (error instanceof SchemaError && ['registry-unreachable', 'unknown-schema'].includes(error.code))
  if (!passes) return error
  return new ProjectionError('unavailable', error.message, { retryAfterSeconds: 1 }, { cause: error })
}

const failRead = (error: unknown): never => {
  throw readError(error)
}

const beyondEnd = (where: string): EventStoreError =>
  invalidRequest(
    'cursor',
    `the cursor is beyond the end of the changelog, so it belongs to an earlier topic of that name: start without a cursor (${where})`,
  )
