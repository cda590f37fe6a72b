import { reportSafely } from '#observability'

import type { ProgressDisplay } from './progress-display.ts'
import type { ShownProgress } from './progress-text.ts'

/** Quicker work needs no progress. */
const quietMs = 2_000
/** The rate is that of the last so many milliseconds: a slow start says nothing of the time that is left. */
const windowMs = 15_000
/** Between two notes of how much was done, so that there are few of them. */
const noteIntervalMs = 250
/** Where nothing moves for so long, something is waited for. */
const stallMs = 5_000

export interface MeterOptions extends Pick<ShownProgress, 'what' | 'unit'> {
  /** Who keeps the work waiting when nothing moves: `the writer`. */
  readonly waitingFor?: string
}

/** How much had been done by then. */
interface Note {
  readonly ms: number
  readonly moved: number
}

/** Counts what is done, and shows it with its rate and the time that is left. */
export class ProgressMeter {
  readonly #display: ProgressDisplay
  readonly #options: MeterOptions
  readonly #beganMs = performance.now()
  readonly #timer: NodeJS.Timeout | undefined
  /** The oldest first, the newest of them at least {@link windowMs} old; without that the start. */
  readonly #notes: Note[] = [{ ms: this.#beganMs, moved: 0 }]
  #movedMs = this.#beganMs
  /** An earlier run did it. */
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

  /** More has turned out to be done. */
  extend(by: number): void {
    this.#total += by
  }

  /** An earlier run has done this: it counts as done, but not for the rate. */
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
