import { InvalidInputError } from '#domain'
import { eventIn, type StoredEvent } from '#event-log/records'
import type { StoredRecord } from '#kafka'

import type { Matched } from './category-match.ts'

/** Records scanned for one page. A selective filter then returns a short page with an advanced cursor. */
const scanMax = 50_000
/** Bytes of a page's encoded events. A page of large events is short; one event always fits. */
const bytesMax = 8 << 20

/** The events found for one page so far, over all partitions. */
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

  /** Scans records of a topic until the page is full. @returns the offset after the last scanned record; undefined if all were scanned. */
  scan(topic: string, records: readonly StoredRecord[]): number | undefined {
    for (const record of records) {
      const event = eventOrNone(topic, record)
      this.#scanned++
      if (event !== undefined && this.#wanted(event)) this.#add(event)
      if (this.isFull) return record.offset + 1
    }
    return undefined
  }

  /** The events found since the last call. */
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

/** Skips foreign records. The services that own the partitions report them. */
function eventOrNone(topic: string, record: StoredRecord): StoredEvent | undefined {
  try {
    return eventIn(topic, record)
  } catch (error) {
    if (error instanceof InvalidInputError) return undefined
    throw error
  }
}
