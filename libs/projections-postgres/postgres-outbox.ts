import type { UnpublishedView, ViewOutbox, ViewSet } from '#projections'

import { markPublished, unpublishedViews } from './outbox.ts'
import type { ProjectionTransactions } from './projection-transactions.ts'
import { unlessMissing } from './sql-state.ts'

/** {@link ViewOutbox} in PostgreSQL. */
export class PostgresOutbox implements ViewOutbox {
  readonly #transactions: ProjectionTransactions

  constructor(transactions: ProjectionTransactions) {
    this.#transactions = transactions
  }

  unpublished(set: ViewSet, limit: number): Promise<readonly UnpublishedView[]> {
    const { database, names } = this.#transactions
    return unlessMissing([], unpublishedViews(database, names, set, limit))
  }

  markPublished(
    set: ViewSet,
    published: readonly Pick<UnpublishedView, 'key' | 'revision'>[],
  ): Promise<void> {
    const { database, names } = this.#transactions
    return unlessMissing(undefined, markPublished(database, names, set, published))
  }
}
