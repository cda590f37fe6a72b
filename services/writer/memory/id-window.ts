import { randomFillSync } from 'node:crypto'

import { type EventId, eventIdBytes, type Version, writeEventId } from '#domain'
import type { EventPlace, StoredIds } from '#redis-index'

import { halfSipHash } from './half-sip-hash.ts'
import { idWords, type IdRing, newIdRing, slotsFor, windowBytes } from './id-ring.ts'
import type { MemoryBudget } from './memory-budget.ts'

/** The length of a new ring. Its bytes are not counted: without it no append could be decided. */
const lengthMin = 1_024
const growth = 4

const noPlaces: readonly EventPlace[] = []

/**
 * The ids of a partition's latest events and their places: a ring of entries in the order of their arrival, and an open-addressing
 * table over it (linear probing, deletion by shifting back: Knuth, The Art of Computer Programming, vol. 3, 6.4, algorithm R).
 * An id may have several places, because several streams may have an event with this id.
 *
 * It grows with use, up to `idsMax` entries or while the budget lasts. Then each new entry replaces the oldest one.
 */
export class IdWindow {
  readonly #idsMax: number
  readonly #budget: MemoryBudget
  readonly #key = randomFillSync(new Uint32Array(2))
  readonly #id = new Uint8Array(eventIdBytes)
  readonly #idView = new DataView(this.#id.buffer)
  /** The id in question. */
  readonly #words = new Uint32Array(this.#id.buffer)
  #ring: IdRing
  /** The position of the latest entry of an id, plus one; 0: free. */
  #slots: Uint32Array
  /** Entries that were ever added to the ring. The position of an entry is its number modulo the ring's length. */
  #added = 0
  #granted = 0

  constructor(idsMax: number, budget: MemoryBudget) {
    this.#idsMax = Math.max(1, idsMax)
    this.#budget = budget
    const length = Math.min(lengthMin, this.#idsMax)
    this.#ring = newIdRing(length)
    this.#slots = new Uint32Array(slotsFor(length))
  }

  /** Remembered entries. */
  get size(): number {
    return Math.min(this.#added, this.#ring.length)
  }

  add(id: EventId, version: Version, offset: number): void {
    writeEventId(this.#id, 0, id)
    this.#add(version, offset)
  }

  /** Adds ids that the index has stored. */
  addStored(stored: StoredIds): void {
    stored.forEach((id, at, version, offset) => {
      for (let word = 0; word < idWords; word++) this.#idView.setUint32(4 * word, id.getUint32(at + 4 * word))
      this.#add(version, offset)
    })
  }

  /** The places of the events with this id, the latest first. */
  places(id: EventId): readonly EventPlace[] {
    writeEventId(this.#id, 0, id)
    const head = this.#slots[this.#find(this.#words, 0)] ?? 0
    return head === 0 ? noPlaces : this.#chain(head - 1)
  }

  /** Releases the memory, although streams in {@link RecentStreams} may refer to their former owner. The window is empty afterwards. */
  close(): void {
    this.#budget.give(this.#granted)
    this.#granted = 0
    this.#ring = newIdRing(1)
    this.#slots = new Uint32Array(slotsFor(1))
    this.#added = 0
  }

  #add(version: Version, offset: number): void {
    if (this.#added >= this.#ring.length && !this.#grow()) this.#removeOldest()
    const { ids, versions, offsets, distances, length } = this.#ring
    const position = this.#added % length
    const slot = this.#find(this.#words, 0)
    const head = this.#slots[slot] ?? 0
    distances[position] = head === 0 ? 0 : this.#added - this.#numberOf(head - 1)
    for (let word = 0; word < idWords; word++) ids[position * idWords + word] = this.#words[word] ?? 0
    versions[position] = version
    offsets[position] = offset
    this.#slots[slot] = position + 1
    this.#added++
  }

  #chain(head: number): EventPlace[] {
    const { versions, offsets, distances, length } = this.#ring
    const oldest = Math.max(0, this.#added - length)
    const places: EventPlace[] = []
    for (
      let number = this.#numberOf(head), distance = 1;
      distance > 0 && number >= oldest;
      number -= distance
    ) {
      const position = number % length
      places.push({ version: (versions[position] ?? 0) as Version, offset: offsets[position] ?? 0 })
      distance = distances[position] ?? 0
    }
    return places
  }

  /** The number of the entry at a position. */
  #numberOf(position: number): number {
    const { length } = this.#ring
    const last = this.#added - 1
    return last - ((last - position) % length)
  }

  /** The slot of an id, or the free slot where it would be. */
  #find(words: Uint32Array, at: number): number {
    const { ids } = this.#ring
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = halfSipHash(this.#key, words, at) & mask; ; slot = (slot + 1) & mask) {
      const head = slots[slot] ?? 0
      if (head === 0) return slot
      if (isSameId(ids, (head - 1) * idWords, words, at)) return slot
    }
  }

  /** The slot where the search for the id at a position starts. */
  #homeOf(position: number): number {
    return halfSipHash(this.#key, this.#ring.ids, position * idWords) & (this.#slots.length - 1)
  }

  /** Makes room for one entry. If a later entry has the same id, the table does not change: the chain ends before the oldest one. */
  #removeOldest(): void {
    const { ids, length } = this.#ring
    const position = this.#added % length
    const slot = this.#find(ids, position * idWords)
    if (this.#slots[slot] === position + 1) this.#free(slot)
  }

  /** Frees a slot, and moves later ones back that would no longer be found. */
  #free(freed: number): void {
    const mask = this.#slots.length - 1
    let gap = freed
    for (let slot = (gap + 1) & mask; ; slot = (slot + 1) & mask) {
      const head = this.#slots[slot] ?? 0
      if (head === 0) break
      const home = this.#homeOf(head - 1)
      const isReachable = gap < slot ? gap < home && home <= slot : gap < home || home <= slot
      if (isReachable) continue
      this.#slots[gap] = head
      gap = slot
    }
    this.#slots[gap] = 0
  }

  /** @returns false when the window has its full size, or the budget is used up. */
  #grow(): boolean {
    return this.#growTo(this.#ring.length * growth)
  }

  /** Grows at once to a size that is expected. */
  reserve(ids: number): void {
    if (ids > this.#ring.length) this.#growTo(ids)
  }

  #growTo(wanted: number): boolean {
    if (this.#ring.length === this.#idsMax) return false
    // The last step is a large one: it rehashes few of the ids.
    const next = wanted * 2 >= this.#idsMax ? this.#idsMax : wanted
    const more = windowBytes(next) - this.#granted
    if (!this.#budget.take(more)) return false
    this.#granted += more
    this.#rehash(next)
    return true
  }

  #rehash(length: number): void {
    const before = this.#ring
    const id = this.#words.slice()
    const first = this.#added - this.size
    const size = this.size
    this.#ring = newIdRing(length)
    this.#slots = new Uint32Array(slotsFor(length))
    this.#added = 0
    for (let number = first; number < first + size; number++) {
      const position = number % before.length
      this.#words.set(before.ids.subarray(position * idWords, (position + 1) * idWords))
      this.#add((before.versions[position] ?? 0) as Version, before.offsets[position] ?? 0)
    }
    this.#words.set(id)
  }
}

const isSameId = (ids: Uint32Array, at: number, others: Uint32Array, otherAt: number): boolean =>
  ids[at] === others[otherAt] &&
  ids[at + 1] === others[otherAt + 1] &&
  ids[at + 2] === others[otherAt + 2] &&
  ids[at + 3] === others[otherAt + 3]
