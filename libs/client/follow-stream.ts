import { EventStoreError, fromProblem, type Problem } from '#event-store'

import { Backoff, type RetryLimits } from './backoff.ts'
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
}

/**
 * A live stream over as many connections as it takes. The cursor of the last item that was handed out is where the next
 * connection starts, so that nothing is left out and nothing comes twice. Each item makes the retries start anew.
 */
export async function* followStream<Item>({
  cursor: start,
  signal,
  retries,
  open,
  decode,
}: Following<Item>): AsyncGenerator<Item> {
  const backoff = new Backoff(retries)
  const ended = () => signal.aborted
  let cursor = start
  while (!ended()) {
    const startMs = performance.now()
    try {
      for await (const received of await open(cursor)) {
        const { id, json } = checked(received)
        const item = received.event === startEvent ? undefined : decode(json, id)
        cursor = id
        if (item === undefined) continue
        backoff.reset()
        yield item
        if (ended()) return
      }
      throw new EventStoreError('unavailable', 'the server ended the subscription')
    } catch (error) {
      // Leaving on purpose looks like a broken connection too.
      if (ended()) return
      // Where nothing happens for days, connections that break now and then are no failures in a row.
      if (performance.now() - startMs > retries.delayMsMax) backoff.reset()
      await backoff.afterFailure(brokenOff(error), signal)
    }
  }
}

/** Tells the cursor before there is anything to tell it with. */
const startEvent = 'start'

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
