import type { Position, TopicPartition } from '#domain'
import type {
  AddOptions,
  CommitOutcome,
  GenerationState,
  Lookup,
  NewGeneration,
  ParkedEvent,
  Stop,
  StoredProjection,
  StoredView,
  StoredViewPage,
  UnpublishedView,
  ViewChange,
  ViewCommit,
  ViewLookup,
  ViewPageQuery,
  ViewSet,
  ViewStore,
} from '#projections'

import { expireViews, markPublished, unpublishedViews } from './changelog.ts'
import { applyParked, commit } from './commit.ts'
import { Database, type Sql } from './database.ts'
import { generationStates } from './generation-rows.ts'
import { addGeneration, discard, retire, switchTo } from './lifecycle.ts'
import { findPage, findView, lookUp, readViews } from './lookups.ts'
import { Names } from './names.ts'
import { databaseSettings, type PostgresSettings, schemaName } from './postgres-settings.ts'
import { dropParked, parkedEvents, resume, stop } from './set-aside.ts'
import { isMissingTable, unlessMissing } from './sql-state.ts'
import { ensureTables } from './shared-tables.ts'

const lookupTriesMax = 5

/**
 * Views in PostgreSQL (13 or later), in plain tables. Each step is one transaction: the checkpoint tells whether it was made, and views
 * are compared by revision under locks of their rows, so that steps of different partitions run side by side. What changes generations
 * takes the projection's advisory lock alone, for a moment; steps share it.
 *
 * Where a table is missing, its generation is gone: discarded, or lost with all the rest.
 */
export class PostgresViewStore implements ViewStore {
  readonly #database: Database
  readonly #names: Names
  readonly #now: () => number

  private constructor(database: Database, names: Names, now: () => number) {
    this.#database = database
    this.#names = names
    this.#now = now
  }

  /** Opens a store. It connects when it is first used. @throws InvalidInputError when the settings are malformed. */
  static open(settings: PostgresSettings): PostgresViewStore {
    const names = new Names(schemaName(settings))
    return new PostgresViewStore(new Database(databaseSettings(settings)), names, settings.now ?? Date.now)
  }

  async prepare(): Promise<void> {
    await ensureTables(this.#database, this.#names)
  }

  generations(projection: StoredProjection): Promise<readonly GenerationState[]> {
    return unlessMissing([], generationStates(this.#database, this.#names, projection))
  }

  async addGeneration(
    projection: StoredProjection,
    generation: NewGeneration,
    options: AddOptions = {},
  ): Promise<boolean> {
    // The schema, or a part of it, may have been lost since the projection was prepared.
    await ensureTables(this.#database, this.#names)
    return this.#alone(projection, (sql) => addGeneration(sql, this.#names, projection, generation, options))
  }

  switchTo(set: ViewSet, holdMs: number): Promise<'switched' | 'behind' | 'gone'> {
    const work = (sql: Sql) => switchTo(sql, this.#names, set, this.#now() + holdMs)
    return unlessMissing('gone', this.#alone(set.projection, work))
  }

  retire(set: ViewSet): Promise<boolean> {
    return unlessMissing(
      false,
      this.#alone(set.projection, (sql) => retire(sql, this.#names, set)),
    )
  }

  discard(set: ViewSet, limit: number): Promise<boolean> {
    const work = (sql: Sql) => discard(sql, this.#names, set, limit, this.#now())
    return unlessMissing(true, this.#alone(set.projection, work))
  }

  read(set: ViewSet, keys: readonly string[]): Promise<ReadonlyMap<string, StoredView>> {
    return unlessMissing<ReadonlyMap<string, StoredView>>(
      new Map(),
      readViews(this.#database, this.#names, set, keys),
    )
  }

  commit(set: ViewSet, step: ViewCommit): Promise<CommitOutcome> {
    const work = (sql: Sql) => commit(sql, this.#names, set, step, this.#now())
    return unlessMissing(
      'gone',
      this.#together(set.projection, work, (outcome) => outcome === 'committed'),
    )
  }

  view(
    projection: StoredProjection,
    key: string,
    lookup: ViewLookup = {},
  ): Promise<Lookup<StoredView | undefined>> {
    return this.#lookUp(projection, lookup, (set) =>
      findView(this.#database, this.#names, set, key, this.#now()),
    )
  }

  page(projection: StoredProjection, query: ViewPageQuery): Promise<Lookup<StoredViewPage>> {
    return this.#lookUp(projection, query, (set, indexNames) =>
      findPage(this.#database, this.#names, set, indexNames, query, this.#now()),
    )
  }

  unpublished(set: ViewSet, limit: number): Promise<readonly UnpublishedView[]> {
    return unlessMissing([], unpublishedViews(this.#database, this.#names, set, limit))
  }

  markPublished(
    set: ViewSet,
    published: readonly Pick<UnpublishedView, 'key' | 'revision'>[],
  ): Promise<void> {
    return unlessMissing(undefined, markPublished(this.#database, this.#names, set, published))
  }

  expire(set: ViewSet, nowMs: number, limit: number): Promise<number> {
    return unlessMissing(0, expireViews(this.#database, this.#names, set, nowMs, limit))
  }

  stop(set: ViewSet, source: TopicPartition, reason: Stop): Promise<void> {
    return unlessMissing(undefined, stop(this.#database, this.#names, set, source, reason))
  }

  resume(projection: StoredProjection, source?: TopicPartition): Promise<number> {
    return unlessMissing(0, resume(this.#database, this.#names, projection, source))
  }

  parked(
    set: ViewSet,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<readonly ParkedEvent[]> {
    return unlessMissing([], parkedEvents(this.#database, this.#names, set, page))
  }

  applyParked(
    set: ViewSet,
    position: Position,
    changes: readonly ViewChange[],
  ): Promise<'applied' | 'not-parked' | 'view-changed' | 'gone'> {
    const work = (sql: Sql) => applyParked(sql, this.#names, set, position, changes)
    return unlessMissing(
      'gone',
      this.#together(set.projection, work, (outcome) => outcome === 'applied'),
    )
  }

  dropParked(set: ViewSet, positions: readonly Position[]): Promise<number> {
    return unlessMissing(0, dropParked(this.#database, this.#names, set, positions))
  }

  /** Lets go of all connections once they are idle. */
  close(): Promise<void> {
    return this.#database.close()
  }

  #alone<Result>(projection: StoredProjection, work: (sql: Sql) => Promise<Result>): Promise<Result> {
    return this.#database.transaction({ key: this.#names.lockKey(projection), shared: false }, work)
  }

  #together<Result>(
    projection: StoredProjection,
    work: (sql: Sql) => Promise<Result>,
    keeps: (result: Result) => boolean,
  ): Promise<Result> {
    return this.#database.transaction({ key: this.#names.lockKey(projection), shared: true }, work, keeps)
  }

  /** Looks again where the generation was discarded under the lookup. */
  async #lookUp<Found>(
    projection: StoredProjection,
    lookup: ViewLookup,
    find: (set: ViewSet, indexNames: readonly string[]) => Promise<Found>,
  ): Promise<Lookup<Found>> {
    for (let tries = 1; tries <= lookupTriesMax; tries += 1) {
      try {
        return await lookUp(this.#database, this.#names, projection, lookup, find)
      } catch (error) {
        if (!isMissingTable(error)) throw error
      }
    }
    return { outcome: 'no-generation' }
  }
}
