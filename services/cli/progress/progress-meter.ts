import { reportSafely } from '#observability'

import type { ProgressDisplay } from './progress-display.ts'
import type { ShownProgress } from './progress-text.ts'

/** Shorter work shows no progress. */
const quietMs = 2_000
/** The rate is that of this last span of time: a slow start must not affect the estimate of the time left. */
const windowMs = 15_000
/** The time between two notes, which bounds their number. */
const noteIntervalMs = 250
/** Without progress for this long, the display shows what the work waits for. */
const stallMs = 5_000

export interface MeterOptions extends Pick<ShownProgress, 'what' | 'unit'> {
  /** What the work waits for when nothing moves: `the writer`. */
  readonly waitingFor?: string
}

/** How much was done at a time. */
interface Note {
  readonly ms: number
  readonly moved: number
}

/** Counts finished work, and shows it with its rate and the time left. */
export class ProgressMeter {
  readonly #display: ProgressDisplay
  readonly #options: MeterOptions
  readonly #beganMs = performance.now()
  readonly #timer: NodeJS.Timeout | undefined
  /** Oldest first. The first note is the latest one that is at least {@link windowMs} old, or the start. */
  readonly #notes: Note[] = [{ ms: this.#beganMs, moved: 0 }]
  #movedMs = this.#beganMs
  /** The work of an earlier run. */
  #skipped = 0
  #moved = 0
  #total: number

  constructor(display: ProgressDisplay, total: number, options: MeterOptions = {}) {
    this.#display = display
    this.#total = total
    this.#options = options
    const { waitingFor } = options
    if (waitingFor !== undefined) {
      this.#timer = setInterval(() => {
        reportSafely(() => {
          this.#showStall(waitingFor)
        })
      }, 1_000).unref()
    }
  }

  /** Adds work to the total. */
  extend(by: number): void {
    this.#total += by
  }

  /** Adds work of an earlier run: it counts as done, but not for the rate. */
  skip(by: number): void {
    this.#skipped += by
    this.#movedMs = performance.now()
    if (this.#moved === 0) this.#notes[0] = { ms: this.#movedMs, moved: 0 }
  }

  advance(by: number): void {
    const nowMs = performance.now()
    this.#movedMs = nowMs
    this.#moved += by
    this.#total = Math.max(this.#total, this.#done)
    this.#note(nowMs)
    if (nowMs - this.#beganMs < quietMs) return
    const rate = this.#rate(nowMs)
    const left = this.#total - this.#done
    this.#show({ rate, ...(left > 0 && rate > 0 && { etaSeconds: Math.ceil(left / rate) }) })
  }

  end(): void {
    clearInterval(this.#timer)
    this.#display.end()
  }

  get #done(): number {
    return this.#skipped + this.#moved
  }

  #note(nowMs: number): void {
    const last = this.#notes.at(-1)
    if (last !== undefined && nowMs - last.ms < noteIntervalMs) return
    this.#notes.push({ ms: nowMs, moved: this.#moved })
    while ((this.#notes[1]?.ms ?? Infinity) <= nowMs - windowMs) this.#notes.shift()
  }

  #rate(nowMs: number): number {
    const { ms, moved } = this.#notes[0] ?? { ms: this.#beganMs, moved: 0 }
    return nowMs > ms ? Math.round((1_000 * (this.#moved - moved)) / (nowMs - ms)) : 0
  }

  #showStall(waitingFor: string): void {
    const stalledMs = performance.now() - this.#movedMs
    if (stalledMs < stallMs) return
    this.#show({ rate: 0, waiting: { for: waitingFor, seconds: Math.floor(stalledMs / 1_000) } })
  }

  #show(pace: Pick<ShownProgress, 'rate' | 'etaSeconds' | 'waiting'>): void {
    const { what, unit } = this.#options
    this.#display.show({
      ...{ done: this.#done, total: this.#total, ...pace },
      ...(what !== undefined && { what }),
      ...(unit !== undefined && { unit }),
    })
  }
}
