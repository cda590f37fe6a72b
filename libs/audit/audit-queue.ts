import { type LogRecord, recordBytesBound } from '#kafka'

export interface QueueBounds {
  readonly entriesMax: number
  readonly bytesMax: number
}

/** Denials may fill only this part of the queue, so that they cannot push out what administrators do. */
const shareOfDenials = 0.8

/** Encoded entries that wait to be written, oldest first. Bounded in number and bytes. */
export class AuditQueue {
  readonly #bounds: QueueBounds
  readonly #records: LogRecord[] = []
  #bytes = 0

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds
  }

  get length(): number {
    return this.#records.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** @returns false if the entry does not fit. */
  add(record: LogRecord, isDenial: boolean): boolean {
    const share = isDenial ? shareOfDenials : 1
    const bytes = recordBytesBound(record)
    const fits =
      this.#records.length < this.#bounds.entriesMax * share &&
      this.#bytes + bytes <= this.#bounds.bytesMax * share
    if (!fits) return false
    this.#records.push(record)
    this.#bytes += bytes
    return true
  }

  /** The oldest entries, as many as fit one batch, at least one. They stay in the queue. */
  head(recordsMax: number, bytesMax: number): readonly LogRecord[] {
    let bytes = 0
    const end = this.#records.slice(0, recordsMax).findIndex((record, index) => {
      bytes += recordBytesBound(record)
      return index > 0 && bytes > bytesMax
    })
    return this.#records.slice(0, end < 0 ? recordsMax : end)
  }

  /** Removes the oldest entries. */
  remove(count: number): void {
    for (const record of this.#records.splice(0, count)) this.#bytes -= recordBytesBound(record)
  }
}
