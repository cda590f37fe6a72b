import { EventStoreError, fromProblem, type Problem } from '#event-store'

import { RetryBudget, type RetryLimits } from './backoff.ts'
import type { ReceivedEvent } from './server-sent-events.ts'

export interface Following<Item> {
  /** Right after which to begin; undefined: from the beginning. */
  readonly cursor: string | undefined
  readonly signal: AbortSignal
  readonly retries: RetryLimits
  /** Opens the stream right after the cursor. */
  readonly open: (cursor: string | undefined) => Promise<AsyncIterable<ReceivedEvent>>
  /** What an event's JSON stands for. */
  readonly decode: (json: unknown, cursor: string) => Item
  readonly onProgress?: OnProgress | undefined
}

/** Called with the cursor when a subscription has advanced without an item to deliver. All earlier items have been delivered. */
export type OnProgress = (cursor: string) => void | Promise<void>

/**
 * A live stream over as many connections as it takes. The cursor of the last item that was handed out, or a later one that
 * came without an item, is where the next connection starts, so that nothing is left out and nothing comes twice. Each item
 * and each cursor makes the retries start again.
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
      // Leaving on purpose looks like a broken connection too.
      if (ended()) return
      // Where nothing happens for days, connections that break now and then are no failures in a row.
      if (performance.now() - startMs > retries.delayMsMax) budget.reset()
      await budget.afterFailure(brokenOff(error), signal)
    }
  }
}

/** What brings the cursor while there is nothing else to bring it with: at the start, and while a filter matches nothing. */
const cursorOnlyEvents: ReadonlySet<string> = new Set(['start', 'progress'])

/** What only reports never fails the subscription, now or later. */
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

/** What breaks in the midst of a stream is the connection. */
const brokenOff = (error: unknown): EventStoreError =>
  error instanceof EventStoreError
    ? error
    : new EventStoreError('unavailable', 'the subscription broke off', {}, { cause: error })
