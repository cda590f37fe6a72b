import { subscriberTurns } from '#bounds'
import type { Projection } from '#domain'
import {
  type FeedReader,
  formatCursor,
  type Offsets,
  parseCursor,
  SharedLog,
  type Subscribed,
  subscribed,
} from '#event-log'
import { EventStoreError, invalidRequest, parseRequest, partitionFor } from '#event-store'
import { LogError, projectionTopic, type StoredRecord } from '#kafka'
import type { SourcePartition, UpdatesQuery, ViewUpdate } from '#projections'
import { SchemaError } from '#schemas'

import type { ChangeAt, ProjectorApi } from '../projector-api.ts'
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
  readonly partition: number
  readonly offset: number
}

/**
 * Live changes of views, from the changelog topics: any instance can, whoever keeps the projection. A change may come
 * twice: after a crash it is published once more. Each is read and decoded once for all who subscribe here.
 */
export class ChangelogReader implements Pick<ProjectorApi, 'updates' | 'subscribe' | 'cursorNow'> {
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
    for await (const batch of this.subscribe(name, query, signal)) {
      for (const { change, cursor } of batch) yield { ...change, cursor }
    }
  }

  /** As `updates`, some changes at a time. */
  async *subscribe(
    name: string,
    query: UpdatesQuery,
    signal: AbortSignal,
  ): AsyncGenerator<readonly ChangeAt[], void, void> {
    const { name: found } = this.#find(name)
    const offsets = [...this.#startOf(query)]
    const starts = new Map(this.#partitionsOf(query).map((partition) => [partition, offsets[partition] ?? 0]))
    const asked: Subscribed<Change> = { log: this.#log, offsetOf, topic: projectionTopic(found), starts }
    try {
      for await (const { items } of subscribed(asked, signal)) {
        const wanted =
          query.key === undefined ? items : items.filter(({ change }) => change.key === query.key)
        if (wanted.length > 0) yield wanted.map((each) => withCursor(each, offsets))
      }
    } catch (error) {
      throw readError(error)
    }
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
      throw new EventStoreError('projection-not-found', `there is no projection ${name}`)
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
  { topic, partition }: SourcePartition,
  records: readonly StoredRecord[],
): Promise<readonly Change[]> {
  if (schema === undefined) throw new Error(`${topic} is of no projection here`)
  const values = records.map(({ value }) => value)
  const views = await format.decode(schema, values, subscriberTurns)
  return records.flatMap((record, index) => {
    const view = views[index]
    return view === undefined ? [] : [changeOf(partition, record, view)]
  })
}

const changeOf = (partition: number, record: StoredRecord, view: unknown): Change => ({
  change: { key: record.key.toString(), view, changedAt: changedAtOf(record) },
  partition,
  offset: record.offset,
})

const offsetOf = ({ offset }: Change): number => offset

/** @param offsets of the subscription; they move on behind the change. */
function withCursor({ change, partition, offset }: Change, offsets: number[]): ChangeAt {
  offsets[partition] = offset + 1
  return { change, cursor: formatCursor(offsets) }
}

/** What passes, or is otherwise at another instance, is worth another try. A cursor behind the end never is. */
function readError(error: unknown): unknown {
  if (error instanceof LogError && error.outcome === 'not-there') {
    return invalidRequest(
      'cursor',
      `the cursor is behind the end of the changelog, so it is of another topic by that name: begin without a cursor (${error.message})`,
    )
  }
  const passes =
    (error instanceof LogError && error.outcome === 'unavailable') ||
    (error instanceof SchemaError && ['registry-unreachable', 'unknown-schema'].includes(error.code))
  if (!passes) return error
  return new EventStoreError('unavailable', error.message, { retryAfterSeconds: 1 }, { cause: error })
}
