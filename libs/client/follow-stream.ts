import { EventStoreError, fromProblem, type Problem } from '#event-store'

import { RetryBudget, type RetryLimits } from './backoff.ts'
import type { ReceivedEvent } from './server-sent-events.ts'

/** A subscription to follow across connections. */
export interface Following<Item> {
  /** Start after this cursor; undefined: at the beginning. */
  readonly cursor: string | undefined
  readonly signal: AbortSignal
  readonly retries: RetryLimits
  /** Opens a connection that starts after the cursor. */
  readonly open: (cursor: string | undefined) => Promise<AsyncIterable<ReceivedEvent>>
  /** Converts the JSON of an event to an item. */
  readonly decode: (json: unknown, cursor: string) => Item
  readonly onProgress?: OnProgress | undefined
}

/** Called with the cursor when a subscription has advanced without an item to deliver. All earlier items have been delivered. */
export type OnProgress = (cursor: string) => void | Promise<void>

/**
 * Follows a subscription and reconnects after failures. Each connection starts after the last received cursor, so no item is lost or
 * repeated. Every received event resets the retry limits.
 */
export async function* followStream<Item>({
  cursor: start,
  signal,
  retries,
  open,
  decode,
  onProgress,
}: Following<Item>): AsyncGenerator<Item> {
  const budget = new RetryBudget(retries)
  const ended = () => signal.aborted
  let cursor = start
  while (!ended()) {
    const startMs = performance.now()
    try {
      for await (const received of await open(cursor)) {
        const { id, json } = checked(received)
        const isCursorOnly = cursorOnlyEvents.has(received.event)
        const item = isCursorOnly ? undefined : decode(json, id)
        cursor = id
        budget.reset()
        if (item === undefined) report(onProgress, id)
        else yield item
        if (ended()) return
      }
      throw new EventStoreError('unavailable', 'the server ended the subscription')
    } catch (error) {
      // Aborting also looks like a broken connection.
      if (ended()) return
      // On a quiet stream, connections that break now and then are not consecutive failures.
      if (performance.now() - startMs > retries.delayMsMax) budget.reset()
      await budget.afterFailure(asStoreError(error), signal)
    }
  }
}

/** Events that carry only a cursor: at the start, and while a filter matches nothing. */
const cursorOnlyEvents: ReadonlySet<string> = new Set(['start', 'progress'])

/** An error in the callback must not fail the subscription. */
function report(onProgress: OnProgress | undefined, cursor: string): void {
  if (onProgress === undefined) return
  const reporting = async (): Promise<void> => onProgress(cursor)
  reporting().catch(() => undefined)
}

function checked({ id, event, data }: ReceivedEvent): { readonly id: string; readonly json: unknown } {
  const json: unknown = JSON.parse(data)
  if (event === 'problem') throw fromProblem((json as Problem).status, json)
  if (id === undefined) throw new EventStoreError('internal', 'an event of the subscription has no cursor')
  return { id, json }
}

/** Any other error during a subscription is a broken connection. */
const asStoreError = (error: unknown): EventStoreError =>
  error instanceof EventStoreError
    ? error
    : new EventStoreError('unavailable', 'the connection of the subscription failed', {}, { cause: error })
