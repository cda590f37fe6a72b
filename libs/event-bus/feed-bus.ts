import { partitionKey, type RecordedEvent } from '#domain'

import type { EventBus } from './event-bus.ts'
import { EventBusError } from './event-bus-error.ts'

/** An event, and the cursor that resumes right after it, as the live subscriptions of the client yield them. */
export interface CursoredEvent {
  readonly event: RecordedEvent
  readonly cursor: string
}

export interface FeedOptions {
  /**
   * Every matching subscriber has handled all events up to this cursor, so a restart can resume here. No further call
   * is made while its promise is pending; the next one then gets the newest cursor.
   */
  readonly onHandled: (cursor: string) => void | Promise<void>
}

/**
 * Publishes events on the bus as they arrive:
 * `feedBus(bus, client.subscribe('order', { cursor }), { onHandled: save })`. Ends when the events end (those of the
 * client do when their signal aborts), once all of them are handled and the last cursor is saved. A feed that resumes
 * at a saved cursor gets every event that was not handled, and some events a second time.
 * @throws EventBusError `missed` as soon as a subscriber has stopped or is cut off with an event of the feed
 * unhandled. The last saved cursor is before that event, so a restart delivers it again. Otherwise what the events,
 * the bus or `onHandled` throw.
 */
export async function feedBus(
  bus: Pick<EventBus, 'publish'>,
  events: AsyncIterable<CursoredEvent>,
  { onHandled }: FeedOptions,
): Promise<void> {
  const progress = new Progress(onHandled)
  const iterator = events[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await progress.unlessFailed(iterator.next())
      if (next.done === true) {
        await progress.unlessFailed(progress.allSaved())
        return
      }
      const { event, cursor } = next.value
      const { handled } = await progress.unlessFailed(bus.publish(event))
      progress.add(
        handled.then((missedBy) => checkHandled(event, missedBy)),
        cursor,
      )
    }
  } catch (error) {
    // Not awaited: a generator that waits for its next event notices this only when the event arrives.
    iterator.return?.().catch(() => undefined)
    await progress.saved()
    throw error
  }
}

function checkHandled({ type, position }: RecordedEvent, missedBy: readonly string[]): void {
  if (missedBy.length === 0) return
  throw new EventBusError(
    'missed',
    `${type} at offset ${position.offset} of ${partitionKey(position)} was not handled by ${missedBy.join(', ')}; feed it again from the last saved cursor`,
  )
}

/** Tracks the handling of events in the order of the feed, and saves the progress. */
class Progress {
  readonly #save: (cursor: string) => void | Promise<void>
  /** Settles when all events so far are handled. */
  #handled: Promise<void> = Promise.resolve()
  #unsaved: string | undefined
  #saving: Promise<void> | undefined
  #failure: Error | undefined
  #onFailure: (error: Error) => void = () => undefined

  constructor(save: (cursor: string) => void | Promise<void>) {
    this.#save = save
  }

  add(handled: Promise<void>, cursor: string): void {
    this.#handled = Promise.all([this.#handled, handled]).then(() => {
      this.#unsaved = cursor
      this.#saving ??= this.#saveAll()
    })
    this.#handled.catch((error: unknown) => this.#fail(error))
  }

  async allSaved(): Promise<void> {
    await this.#handled
    await this.saved()
  }

  async saved(): Promise<void> {
    await this.#saving
  }

  /**
   * The result of the promise, or the failure as soon as there is one. Promise.race would keep every losing promise in
   * memory.
   */
  unlessFailed<T>(promise: Promise<T>): Promise<T> {
    const { promise: first, resolve, reject } = Promise.withResolvers<T>()
    this.#onFailure = reject
    if (this.#failure !== undefined) reject(this.#failure)
    promise.then(resolve, reject)
    return first
  }

  /** One at a time; of the cursors that arrive in the meantime only the newest is saved. */
  async #saveAll(): Promise<void> {
    try {
      while (this.#unsaved !== undefined) {
        const cursor = this.#unsaved
        this.#unsaved = undefined
        await this.#save(cursor)
      }
    } catch (error) {
      this.#fail(error)
    }
    this.#saving = undefined
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error), { cause: error })
    this.#onFailure(this.#failure)
  }
}
