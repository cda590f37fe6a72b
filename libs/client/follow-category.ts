import {
  type CategoryEvent,
  type CategoryQuery,
  EventStoreError,
  fromProblem,
  type Problem,
} from '#event-store'

import { Backoff, type RetryLimits } from './backoff.ts'
import type { ReceivedEvent } from './server-sent-events.ts'
import { decodeEvent } from './wire.ts'

export interface Following {
  readonly query: CategoryQuery
  readonly signal: AbortSignal
  readonly retries: RetryLimits
  /** Opens a subscription right after the cursor. */
  readonly open: (cursor: string | undefined) => Promise<AsyncIterable<ReceivedEvent>>
}

/**
 * Live events over as many connections as it takes. The cursor of the last event that was handed out is where the next
 * connection starts, so that nothing is left out and nothing comes twice. Each event makes the retries start anew.
 */
export async function* followCategory({
  query,
  signal,
  retries,
  open,
}: Following): AsyncGenerator<CategoryEvent> {
  const backoff = new Backoff(retries)
  const ended = () => signal.aborted
  let cursor = query.cursor
  while (!ended()) {
    try {
      for await (const received of await open(cursor)) {
        const next = categoryEvent(received)
        backoff.reset()
        cursor = next.cursor
        yield next
        if (ended()) return
      }
      throw new EventStoreError('unavailable', 'the writer ended the subscription')
    } catch (error) {
      // Leaving on purpose looks like a broken connection too.
      if (ended()) return
      await backoff.afterFailure(brokenOff(error), signal)
    }
  }
}

function categoryEvent({ id, event, data }: ReceivedEvent): CategoryEvent {
  const json: unknown = JSON.parse(data)
  if (event === 'problem') throw fromProblem((json as Problem).status, json)
  if (id === undefined) throw new EventStoreError('internal', 'an event of the subscription has no cursor')
  return { event: decodeEvent(json), cursor: id }
}

/** What breaks in the midst of a stream is the connection. */
const brokenOff = (error: unknown): EventStoreError =>
  error instanceof EventStoreError
    ? error
    : new EventStoreError('unavailable', 'the subscription broke off', {}, { cause: error })
