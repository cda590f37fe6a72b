import type { Projection } from '#domain'
import { formatCursor, mergeAsync, type Offsets, parseCursor } from '#event-log'
import { EventStoreError, invalidRequest, parseRequest, partitionFor } from '#event-store'
import { LogError, type LogReader, projectionTopic, type StoredRecord } from '#kafka'
import type { ProjectionsApi, UpdatesQuery, ViewUpdate } from '#projections'
import { SchemaError } from '#schemas'

import { type ViewCodec, ViewFormat, type ViewSchema } from './view-format.ts'
import { changedAtOf } from './view-record.ts'

export interface ChangelogReaderParts {
  readonly reader: Pick<LogReader, 'follow' | 'startOffset' | 'endOffset'>
  readonly codec: ViewCodec
  readonly projections: readonly Projection[]
  /** Of each changelog topic. */
  readonly partitions: number
  /** Whether changes go to the changelog at all. */
  readonly changelog: boolean
}

interface Change extends Omit<ViewUpdate, 'cursor'> {
  readonly offset: number
}

/** Some changes of one partition, in their order. */
interface Changes {
  readonly partition: number
  readonly changes: readonly Change[]
}

/**
 * Live changes of views, from the changelog topics: any instance can, whoever keeps the projection. A change may come
 * twice: after a crash it is published once more.
 */
export class ChangelogReader implements Pick<ProjectionsApi, 'updates' | 'cursorNow'> {
  readonly #parts: ChangelogReaderParts
  readonly #format: ViewFormat
  readonly #schemas: ReadonlyMap<string, ViewSchema>

  constructor(parts: ChangelogReaderParts) {
    this.#parts = parts
    this.#format = new ViewFormat(parts.codec)
    this.#schemas = new Map(parts.projections.map((projection) => [projection.name, projection]))
  }

  /** @throws EventStoreError `projection-not-found`, `invalid-request` (a malformed cursor, no changelog), `unavailable` */
  async *updates(name: string, query: UpdatesQuery, signal: AbortSignal): AsyncGenerator<ViewUpdate> {
    const schema = this.#find(name)
    const offsets = [...this.#startOf(query)]
    const left = new AbortController()
    const either = AbortSignal.any([signal, left.signal])
    const follow = (partition: number) =>
      this.#follow(schema, partition, offsets[partition] ?? 0, query.key, either)
    try {
      for await (const { partition, changes } of mergeAsync(this.#partitionsOf(query).map(follow))) {
        for (const { offset, ...change } of changes) {
          offsets[partition] = offset + 1
          yield { ...change, cursor: formatCursor(offsets) }
        }
      }
    } catch (error) {
      throw readError(error)
    } finally {
      left.abort()
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

  async *#follow(
    schema: ViewSchema,
    partition: number,
    from: number,
    key: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Changes> {
    const keyBytes = key === undefined ? undefined : Buffer.from(key)
    for await (const records of this.#records(projectionTopic(schema.name), partition, from, signal)) {
      const wanted =
        keyBytes === undefined ? records : records.filter((record) => record.key.equals(keyBytes))
      const views = await this.#format.decode(
        schema,
        wanted.map(({ value }) => value),
      )
      const changes = wanted.flatMap((record, index) => {
        const view = views[index]
        return view === undefined ? [] : [changeOf(record, view)]
      })
      if (changes.length > 0) yield { partition, changes }
    }
  }

  /** An offset before the start of the log begins there: of what was deleted, later records hold the newer views. */
  async *#records(
    topic: string,
    partition: number,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredRecord[]> {
    let offset = from
    while (!signal.aborted) {
      try {
        for await (const followed of this.#parts.reader.follow(topic, partition, offset, signal)) {
          offset = followed.nextOffset
          yield followed.records
        }
      } catch (error) {
        if (!(error instanceof LogError) || error.outcome !== 'not-there') throw error
        offset = await this.#startAfter(topic, partition, offset)
      }
    }
  }

  async #startAfter(topic: string, partition: number, offset: number): Promise<number> {
    const start = await this.#parts.reader.startOffset(topic, partition)
    if (start > offset) return start
    throw invalidRequest(
      'cursor',
      `the cursor is behind the end of ${topic}/${partition}, so it is of another topic by that name: begin without a cursor`,
    )
  }
}

const changeOf = (record: StoredRecord, view: unknown): Change => ({
  key: record.key.toString(),
  view,
  changedAt: changedAtOf(record),
  offset: record.offset,
})

/** What passes, or is otherwise at another instance, is worth another try. */
function readError(error: unknown): unknown {
  const passes =
    (error instanceof LogError && error.outcome === 'unavailable') ||
    (error instanceof SchemaError && ['registry-unreachable', 'unknown-schema'].includes(error.code))
  if (!passes) return error
  return new EventStoreError('unavailable', error.message, { retryAfterSeconds: 1 }, { cause: error })
}
