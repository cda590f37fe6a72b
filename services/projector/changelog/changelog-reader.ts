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
  /** With fetches of a moderate size: each is decoded for all subscribers that pass there. */
  readonly reader: Pick<FeedReader, 'fetch' | 'startOffset' | 'endOffset'>
  readonly codec: ViewCodec
  readonly projections: readonly Projection[]
  /** Of each changelog topic. */
  readonly partitions: number
  /** Whether changes go to the changelog at all. */
  readonly changelog: boolean
  /** Memory for decoded changes that subscribers share. */
  readonly keptBytesMax: number
}

/** A change as all subscribers share it. */
interface Change extends Pick<ChangeAt, 'change'> {
  readonly offset: number
}

/**
 * Live changes of views, from the changelog topics, at any instance. A change may come
 * twice: after a crash it is published once more. Each is read and decoded once for all who subscribe here.
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

  /** What decoded changes that subscribers share take of memory, about. */
  get keptBytes(): number {
    return this.#log.keptBytes
  }

  /** @throws EventStoreError `projection-not-found`, `invalid-request` (a malformed cursor, no changelog), `unavailable` */
  async *updates(name: string, query: UpdatesQuery, signal: AbortSignal): AsyncGenerator<ViewUpdate> {
    for await (const { changes } of this.subscribe(name, query, signal)) {
      for (const { change, cursor } of changes) yield { ...change, cursor }
    }
  }

  /** As `updates`, some changes at a time; none where only the cursor has moved. */
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

  /** @throws EventStoreError like `updates`, before anything is followed */
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
      `changes of ${name} cannot be followed: they come from the changelog, which ANNALS_PROJECTOR_CHANGELOG switches off`,
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

/** Views from before a breaking change of their schema are left out. */
async function changesOf(
  format: ViewFormat,
  schema: ViewSchema | undefined,
  { topic }: TopicPartition,
  records: readonly StoredRecord[],
): Promise<readonly Change[]> {
  if (schema === undefined) throw new Error(`${topic} is of no projection here`)
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

/** What passes, or is otherwise at another instance, is worth another try. A cursor behind the end never is. */
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
    `the cursor is behind the end of the changelog, so it is of another topic by that name: begin without a cursor (${where})`,
  )
