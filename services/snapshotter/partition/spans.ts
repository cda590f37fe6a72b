import type { Followed, LogReader } from '#kafka'

import { type CheckpointState, isRebuilding } from './checkpoint.ts'
import { Span, type SpanParts } from './span.ts'
import { StreamStarts } from './stream-starts.ts'

export interface SpansParts extends Omit<SpanParts, 'starts'> {
  readonly reader: Pick<LogReader, 'termBefore'>
}

/** The spans of one term, one after the other. Each begins at the checkpoint. */
export class Spans {
  readonly #parts: SpansParts
  #starts: StreamStarts
  #current: Span

  constructor(parts: SpansParts) {
    this.#parts = parts
    this.#starts = this.#newStarts()
    this.#current = this.#newSpan(0)
  }

  get current(): Span {
    return this.#current
  }

  /** Drops the current span: the checkpoint was moved, possibly to another log. */
  startAt(from: number): void {
    this.#starts = this.#newStarts()
    this.#begin(from)
  }

  /** Starts the next span: the checkpoint has followed the current one. */
  next(): void {
    this.#begin(this.#current.nextOffset)
  }

  /** Whether snapshots must be taken before more is read. */
  mustTake(state: CheckpointState, { highWatermark }: Followed): boolean {
    const isRebuilt = isRebuilding(state) && this.#current.nextOffset >= (state.rebuild?.until ?? 0)
    return isRebuilt || this.#current.isComplete(highWatermark)
  }

  close(): void {
    this.#current.close()
  }

  #begin(from: number): void {
    this.#current.close()
    this.#current = this.#newSpan(from)
  }

  #newSpan(from: number): Span {
    return new Span({ ...this.#parts, starts: this.#starts }, from)
  }

  #newStarts(): StreamStarts {
    const { reader, topic, partition } = this.#parts
    return new StreamStarts(reader, topic, partition)
  }
}
