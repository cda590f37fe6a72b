import { setImmediate as nextTurn } from 'node:timers/promises'

import type { EventId, Version } from '#domain'
import { type EventPlace, type StoredIds, WantedIds } from '#redis-index'

import type { IdWindow } from './id-window.ts'
import type { MemoryBudget } from './memory-budget.ts'

/** Entries that move in one turn of the event loop: about a quarter of a millisecond. */
const entriesAtOnce = 500

const noPlaces: readonly EventPlace[] = []

interface AddedId extends EventPlace {
  readonly id: EventId
}

/**
 * Stored ids on their way into the window. Moving hundreds of thousands takes a tenth of a second, which the callers of a new owner
 * should not wait for. So they move beside the rounds. Until then an id is also searched for in what has not moved yet, and ids of new
 * events are kept apart, because they follow.
 */
export class LoadingIds {
  readonly #window: IdWindow
  readonly #budget: MemoryBudget
  readonly #onMoved: () => void
  readonly #waiting: StoredIds[] = []
  /** Entries of the first waiting segment that have moved. */
  #movedOfFirst = 0
  /** Bytes of waiting segments that the budget has granted. */
  readonly #granted = new Map<StoredIds, number>()
  #added: AddedId[] = []
  /** What the last search found. */
  #found: Map<EventId, readonly EventPlace[]> | undefined
  #isClosed = false

  /** @param onMoved called when the window has every id. From then on this object must not be used. */
  constructor(window: IdWindow, budget: MemoryBudget, onMoved: () => void) {
    this.#window = window
    this.#budget = budget
    this.#onMoved = onMoved
  }

  /** Adds the next segment. It moves when all are stored, so that reading them is not slowed down; without memory for it, at once. */
  async store(segment: StoredIds): Promise<void> {
    const isGranted = this.#budget.take(segment.byteLength)
    if (isGranted) this.#granted.set(segment, segment.byteLength)
    if (this.#isClosed) {
      this.#release(segment)
      return
    }
    this.#waiting.push(segment)
    if (!isGranted) await this.#move()
  }

  /** All segments were stored. They move from now on. */
  complete(): void {
    void this.#move().then(() => this.#finish())
  }

  /** Adds the id of a new event. */
  add(id: EventId, version: Version, offset: number): void {
    this.#added.push({ id, version, offset })
    this.#found = undefined
  }

  /** Searches for several ids at once, so that {@link placesOf} need not do so for each in this turn of the event loop. */
  seek(ids: Iterable<EventId>): void {
    const wanted = new WantedIds(ids)
    const found = new Map<EventId, EventPlace[]>()
    for (const id of ids) found.set(id, [])
    const collect = (id: EventId, place: EventPlace) => found.get(id)?.unshift(place)
    for (const [index, segment] of this.#waiting.entries()) {
      segment.find(wanted, index === 0 ? this.#movedOfFirst : 0, collect)
    }
    for (const { id, version, offset } of this.#added) if (wanted.has(id)) collect(id, { version, offset })
    this.#found = found
  }

  /** The places of the events with this id, the latest first. */
  placesOf(id: EventId): readonly EventPlace[] {
    if (this.#found?.has(id) !== true) this.seek([id])
    const found = this.#found?.get(id) ?? noPlaces
    const moved = this.#window.places(id)
    return found.length === 0 ? moved : [...found, ...moved]
  }

  /** Stops, and releases the memory. */
  close(): void {
    this.#isClosed = true
    for (const segment of this.#waiting.splice(0)) this.#release(segment)
    this.#added = []
    this.#found = undefined
  }

  async #move(): Promise<void> {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const to = Math.min(first.count, this.#movedOfFirst + entriesAtOnce)
      this.#window.addStored(first, this.#movedOfFirst, to)
      this.#movedOfFirst = to
      this.#found = undefined
      if (to === first.count) this.#moved(first)
      await nextTurn()
    }
  }

  #moved(segment: StoredIds): void {
    this.#waiting.shift()
    this.#movedOfFirst = 0
    this.#release(segment)
  }

  #release(segment: StoredIds): void {
    this.#budget.give(this.#granted.get(segment) ?? 0)
    this.#granted.delete(segment)
  }

  #finish(): void {
    if (this.#isClosed) return
    for (const { id, version, offset } of this.#added) this.#window.add(id, version, offset)
    this.close()
    this.#onMoved()
  }
}
