import type {
  CommitOutcome,
  Lookup,
  StoredProjection,
  StoredView,
  StoredViewPage,
  ViewCommit,
  ViewLookup,
  ViewPageQuery,
  Views,
  ViewSet,
} from '#projections'

import { commit } from './commit.ts'
import type { Sql } from './database.ts'
import { deleteExpired } from './expire.ts'
import { findPage, findView, lookUp, readViews } from './lookups.ts'
import type { ProjectionTransactions } from './projection-transactions.ts'
import { isMissingTable, unlessMissing } from './sql-state.ts'

const lookupTriesMax = 5
const noViews: ReadonlyMap<string, StoredView> = new Map()

/** {@link Views} in PostgreSQL. */
export class PostgresViews implements Views {
  readonly #transactions: ProjectionTransactions
  readonly #now: () => number

  constructor(transactions: ProjectionTransactions, now: () => number) {
    this.#transactions = transactions
    this.#now = now
  }

  read(set: ViewSet, keys: readonly string[]): Promise<ReadonlyMap<string, StoredView>> {
    const { database, names } = this.#transactions
    return unlessMissing(noViews, readViews(database, names, set, keys))
  }

  commit(set: ViewSet, step: ViewCommit): Promise<CommitOutcome> {
    const work = (sql: Sql) => commit(sql, this.#transactions.names, set, step, this.#now())
    return unlessMissing(
      'gone',
      this.#transactions.step(set.projection, work, (outcome) => outcome === 'committed'),
    )
  }

  find(
    projection: StoredProjection,
    key: string,
    lookup: ViewLookup = {},
  ): Promise<Lookup<StoredView | undefined>> {
    const { database, names } = this.#transactions
    return this.#lookUp(projection, lookup, (set) => findView(database, names, set, key, this.#now()))
  }

  page(projection: StoredProjection, query: ViewPageQuery): Promise<Lookup<StoredViewPage>> {
    const { database, names } = this.#transactions
    return this.#lookUp(projection, query, (set, indexNames) =>
      findPage(database, names, set, indexNames, query, this.#now()),
    )
  }

  expire(set: ViewSet, nowMs: number, limit: number): Promise<number> {
    const { database, names } = this.#transactions
    return unlessMissing(0, deleteExpired(database, names, set, nowMs, limit))
  }

  /** Repeats the lookup when the generation was discarded during it. */
  async #lookUp<Found>(
    projection: StoredProjection,
    lookup: ViewLookup,
    find: (set: ViewSet, indexNames: readonly string[]) => Promise<Found>,
  ): Promise<Lookup<Found>> {
    const { database, names } = this.#transactions
    for (let tries = 1; tries <= lookupTriesMax; tries += 1) {
      try {
        return await lookUp(database, names, projection, lookup, find)
      } catch (error) {
        if (!isMissingTable(error)) throw error
      }
    }
    return { outcome: 'no-generation' }
  }
}
