import type { ViewStore } from '#projections'

import { Database } from './database.ts'
import { SqlNames } from './names.ts'
import { PostgresGenerations } from './postgres-generations.ts'
import { PostgresOutbox } from './postgres-outbox.ts'
import { PostgresParkedEvents } from './postgres-parked-events.ts'
import { databaseSettings, type PostgresSettings, schemaName } from './postgres-settings.ts'
import { PostgresViews } from './postgres-views.ts'
import { ProjectionTransactions } from './projection-transactions.ts'
import { ensureTables } from './shared-tables.ts'

/**
 * A view store in PostgreSQL (13 or later), in plain tables. Each step is one transaction: the checkpoint shows whether it was
 * made, and views are compared by revision under row locks, so that steps of different partitions run in parallel.
 * A change of generations briefly takes the projection's advisory lock exclusively; steps share it.
 *
 * A generation with a missing table is gone: it was discarded, or lost with everything else.
 */
export class PostgresViewStore implements ViewStore {
  readonly generations: PostgresGenerations
  readonly views: PostgresViews
  readonly outbox: PostgresOutbox
  readonly parked: PostgresParkedEvents
  readonly #transactions: ProjectionTransactions

  private constructor(transactions: ProjectionTransactions, now: () => number) {
    this.#transactions = transactions
    this.generations = new PostgresGenerations(transactions, now)
    this.views = new PostgresViews(transactions, now)
    this.outbox = new PostgresOutbox(transactions)
    this.parked = new PostgresParkedEvents(transactions)
  }

  /** Opens a store. It connects when it is first used. @throws InvalidInputError when the settings are malformed. */
  static open(settings: PostgresSettings): PostgresViewStore {
    const database = new Database(databaseSettings(settings))
    const transactions = new ProjectionTransactions(database, new SqlNames(schemaName(settings)))
    return new PostgresViewStore(transactions, settings.now ?? Date.now)
  }

  async prepare(): Promise<void> {
    await ensureTables(this.#transactions.database, this.#transactions.names)
  }

  /** Closes all connections once they are idle. */
  close(): Promise<void> {
    return this.#transactions.database.close()
  }
}
