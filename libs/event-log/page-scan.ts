import { InvalidInputError } from '#domain'
import { eventIn, type StoredEvent } from '#event-log/records'
import type { StoredRecord } from '#kafka'

import type { Matched } from './category-match.ts'

/** Records looked at for one page, so that a filter that hits nothing still ends: the page is then short, its cursor further on. */
const scanMax = 50_000
/** Of a page's encoded events; the page is then short, too. One event always fits. */
const bytesMax = 8 << 20

/** What one page has found so far, over partitions. */
export class PageScan {
  readonly #limit: number
  readonly #wanted: (event: Matched) => boolean
  #found: StoredEvent[] = []
  #events = 0
  #scanned = 0
  #bytes = 0

  constructor(limit: number, wanted: (event: Matched) => boolean) {
    this.#limit = limit
    this.#wanted = wanted
  }

  get isFull(): boolean {
    return this.#events >= this.#limit || this.#scanned >= scanMax || this.#bytes >= bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Looks at records of a topic until the page is full. @returns the offset after the last one looked at; undefined: all were */
  scan(topic: string, records: readonly StoredRecord[]): number | undefined {
    for (const record of records) {
      const event = eventOrNone(topic, record)
      this.#scanned++
      if (event !== undefined && this.#wanted(event)) this.#add(event)
      if (this.isFull) return record.offset + 1
    }
    return undefined
  }

  /** What was found since this was last asked. */
  take(): readonly StoredEvent[] {
    const found = this.#found
    this.#found = []
    return found
  }

  #add(event: StoredEvent): void {
    this.#found.push(event)
    this.#events++
    this.#bytes += event.value.length
  }
}

/** Foreign records are passed over: services that own partitions tell of them, and no reader could do anything. */
function eventOrNone(topic: string, record: StoredRecord): StoredEvent | undefined {
  try {
    return eventIn(topic, record)
  } catch (error) {
    if (error instanceof InvalidInputError) return undefined
    throw error
  }
}
