import { EventStoreError } from '#event-store'

/**
 * The rejection of work beyond a bound; the caller may retry after a second.
 * @param why what is exhausted, e.g. `5 reads are running or waiting`
 */
export const overloaded = (why: string): EventStoreError =>
  new EventStoreError('overloaded', `${why}: try again in a second`, { retryAfterSeconds: 1 })
