import type { StoredProjection } from '#projections'

import type { Database, Sql } from './database.ts'
import type { SqlNames } from './names.ts'

/** The database with its names and locks, shared by the ports of the store in PostgreSQL. */
export class ProjectionTransactions {
  readonly database: Database
  readonly names: SqlNames

  constructor(database: Database, names: SqlNames) {
    this.database = database
    this.names = names
  }

  /** Runs statements in one transaction that holds the projection's lock exclusively: no step runs at the same time. */
  alone<Result>(projection: StoredProjection, work: (sql: Sql) => Promise<Result>): Promise<Result> {
    return this.database.transaction({ key: this.names.lockKey(projection), shared: false }, work)
  }

  /**
   * Runs the statements of a step in one transaction that shares the projection's lock with other steps.
   * @param keeps decides by the result whether to commit.
   */
  step<Result>(
    projection: StoredProjection,
    work: (sql: Sql) => Promise<Result>,
    keeps: (result: Result) => boolean,
  ): Promise<Result> {
    return this.database.transaction({ key: this.names.lockKey(projection), shared: true }, work, keeps)
  }
}
