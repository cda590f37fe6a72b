import type { OperationProgress } from '#operations'

import { type CountDisplay, countDisplay } from './count-display.ts'
import { type DisplayStream, progressDisplay } from './progress-display.ts'
import { type MeterOptions, ProgressMeter } from './progress-meter.ts'

/** The label of each phase of a job. A phase without an entry is shown with its numbers only. */
export type PhaseLabels<Phase extends string> = Readonly<Partial<Record<Phase, MeterOptions>>>

/** Prints the progress of a job: a bar, or a count if the total is not known. */
export class ProgressPrinter<Phase extends string> {
  readonly #stream: DisplayStream
  readonly #labels: PhaseLabels<Phase> | undefined
  #phase: Phase | undefined
  #shown: MeteredPhase | CountedPhase | undefined

  constructor(stream: DisplayStream, labels?: PhaseLabels<Phase>) {
    this.#stream = stream
    this.#labels = labels
  }

  show(progress: OperationProgress<Phase>): void {
    if (this.#phase !== progress.phase) {
      this.end()
      this.#phase = progress.phase
      this.#shown =
        progress.total === undefined
          ? new CountedPhase(countDisplay(this.#stream, progress.unit))
          : new MeteredPhase(
              new ProgressMeter(progressDisplay(this.#stream), 0, this.#labels?.[progress.phase]),
            )
    }
    this.#shown?.show(progress)
  }

  end(): void {
    this.#shown?.end()
    this.#shown = undefined
    this.#phase = undefined
  }
}

class CountedPhase {
  readonly #display: CountDisplay

  constructor(display: CountDisplay) {
    this.#display = display
  }

  show({ done }: OperationProgress): void {
    if (done > 0) this.#display.show(done)
  }

  end(): void {
    this.#display.end()
  }
}

/** Converts totals to the increments that a meter counts. */
class MeteredPhase {
  readonly #meter: ProgressMeter
  #total = 0
  #resumed = 0
  #moved = 0

  constructor(meter: ProgressMeter) {
    this.#meter = meter
  }

  show({ done, total = 0, resumed }: OperationProgress): void {
    const moved = done - resumed
    const steps = { total: total - this.#total, resumed: resumed - this.#resumed, moved: moved - this.#moved }
    this.#total = total
    this.#resumed = resumed
    this.#moved = moved
    if (steps.total !== 0) this.#meter.extend(steps.total)
    if (steps.resumed > 0) this.#meter.skip(steps.resumed)
    if (steps.moved > 0) this.#meter.advance(steps.moved)
  }

  end(): void {
    this.#meter.end()
  }
}
