import type { Position } from '#domain'
import type {
  ApplyParkedOutcome,
  ParkedEvent,
  ParkedEvents,
  ParkedPage,
  ViewChange,
  ViewSet,
} from '#projections'

import type { Sql } from './database.ts'
import { applyParked, dropParked, parkedEvents } from './parked-events.ts'
import type { ProjectionTransactions } from './projection-transactions.ts'
import { unlessMissing } from './sql-state.ts'

/** {@link ParkedEvents} in PostgreSQL. */
export class PostgresParkedEvents implements ParkedEvents {
  readonly #transactions: ProjectionTransactions

  constructor(transactions: ProjectionTransactions) {
    this.#transactions = transactions
  }

  list(set: ViewSet, page: ParkedPage): Promise<readonly ParkedEvent[]> {
    const { database, names } = this.#transactions
    return unlessMissing([], parkedEvents(database, names, set, page))
  }

  apply(set: ViewSet, position: Position, changes: readonly ViewChange[]): Promise<ApplyParkedOutcome> {
    const work = (sql: Sql) => applyParked(sql, this.#transactions.names, set, position, changes)
    return unlessMissing(
      'gone',
      this.#transactions.step(set.projection, work, (outcome) => outcome === 'applied'),
    )
  }

  drop(set: ViewSet, positions: readonly Position[]): Promise<number> {
    const { database, names } = this.#transactions
    return unlessMissing(0, dropParked(database, names, set, positions))
  }
}
