import type { TopicPartition } from '#domain'
import type {
  AddOptions,
  Generations,
  GenerationState,
  NewGeneration,
  Stop,
  StoredProjection,
  SwitchOutcome,
  ViewSet,
} from '#projections'

import type { Sql } from './database.ts'
import { generationStates } from './generation-rows.ts'
import { addGeneration, discard, retire, switchTo } from './lifecycle.ts'
import type { ProjectionTransactions } from './projection-transactions.ts'
import { ensureTables } from './shared-tables.ts'
import { unlessMissing } from './sql-state.ts'
import { recordStop, removeStops } from './stops.ts'

/** {@link Generations} in PostgreSQL. */
export class PostgresGenerations implements Generations {
  readonly #transactions: ProjectionTransactions
  readonly #now: () => number

  constructor(transactions: ProjectionTransactions, now: () => number) {
    this.#transactions = transactions
    this.#now = now
  }

  list(projection: StoredProjection): Promise<readonly GenerationState[]> {
    const { database, names } = this.#transactions
    return unlessMissing([], generationStates(database, names, projection))
  }

  async add(
    projection: StoredProjection,
    generation: NewGeneration,
    options: AddOptions = {},
  ): Promise<boolean> {
    const { database, names } = this.#transactions
    // The schema, or a part of it, may have been lost since the projection was prepared.
    await ensureTables(database, names)
    return this.#transactions.alone(projection, (sql) =>
      addGeneration(sql, names, projection, generation, options),
    )
  }

  switchTo(set: ViewSet, holdMs: number): Promise<SwitchOutcome> {
    const work = (sql: Sql) => switchTo(sql, this.#transactions.names, set, this.#now() + holdMs)
    return unlessMissing('gone', this.#transactions.alone(set.projection, work))
  }

  retire(set: ViewSet): Promise<boolean> {
    const work = (sql: Sql) => retire(sql, this.#transactions.names, set)
    return unlessMissing(false, this.#transactions.alone(set.projection, work))
  }

  discard(set: ViewSet, limit: number): Promise<boolean> {
    const work = (sql: Sql) => discard(sql, this.#transactions.names, set, limit, this.#now())
    return unlessMissing(true, this.#transactions.alone(set.projection, work))
  }

  stop(set: ViewSet, source: TopicPartition, reason: Stop): Promise<void> {
    const { database, names } = this.#transactions
    return unlessMissing(undefined, recordStop(database, names, set, source, reason))
  }

  resume(projection: StoredProjection, source?: TopicPartition): Promise<number> {
    const { database, names } = this.#transactions
    return unlessMissing(0, removeStops(database, names, projection, source))
  }
}
