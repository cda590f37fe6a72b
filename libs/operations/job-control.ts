import { reportSafely } from '#observability'

/** The progress of a job. It is reported often; a listener that draws it decides how often to redraw. */
export interface OperationProgress<Phase extends string = string> {
  /** The current phase of the job. */
  readonly phase: Phase
  readonly unit: 'bytes' | 'events' | 'offsets' | 'parts' | 'records' | 'streams'
  /** Includes {@link resumed}. */
  readonly done: number
  /** Undefined if the total is not known. It may grow while the job runs. */
  readonly total: number | undefined
  /** What an earlier run of the same job did. */
  readonly resumed: number
}

/** What an operator should know while a job runs. */
export type OperationNotice =
  | { readonly kind: 'warning'; readonly message: string }
  | {
      readonly kind: 'waiting-for-group'
      readonly groupId: string
      readonly members: number
      /** At most. */
      readonly waitMs: number
    }

/** How a job is watched and ended. */
export interface JobControl<Phase extends string = string> {
  /** An error that it throws is dropped. */
  readonly onProgress?: (progress: OperationProgress<Phase>) => void
  /** An error that it throws is dropped. */
  readonly onNotice?: (notice: OperationNotice) => void
  /** Ends the job: it stops as soon as its stored state is consistent, and its outcome is `interrupted`. */
  readonly signal: AbortSignal
}

/** The outcome of a job whose signal aborted before it had anything else to report. */
export interface Interrupted {
  readonly status: 'interrupted'
}

/**
 * Runs the work of a job, unless its signal has already aborted. An abort is an outcome: once the signal has aborted, an error of
 * the work is the interruption.
 * @throws what the work throws while the signal has not aborted.
 */
export async function orInterrupted<T>(
  { signal }: Pick<JobControl, 'signal'>,
  work: () => Promise<T>,
): Promise<T | Interrupted> {
  try {
    signal.throwIfAborted()
    return await work()
  } catch (error) {
    if (signal.aborted) return { status: 'interrupted' }
    throw error
  }
}

/** Adds to the outcome of a job how long its work took. */
export async function timed<Outcome extends object>(
  work: () => Promise<Outcome>,
): Promise<Outcome & { readonly tookMs: number }> {
  const beganMs = performance.now()
  return { ...(await work()), tookMs: performance.now() - beganMs }
}

export type NoticeListener = (notice: OperationNotice) => void

/** The listener for notices. Its errors are dropped. */
export const noticesTo =
  ({ onNotice }: Pick<JobControl, 'onNotice'>): NoticeListener =>
  (notice) =>
    reportSafely(() => onNotice?.(notice))

/** Counts what one phase of a job does, and reports each change. */
export class PhaseProgress<Phase extends string> {
  readonly #onProgress: JobControl<Phase>['onProgress']
  readonly #what: Pick<OperationProgress<Phase>, 'phase' | 'unit'>
  #done = 0
  #resumed = 0
  #total: number | undefined

  /** @param total undefined if it is not known. */
  constructor(
    { onProgress }: Pick<JobControl<Phase>, 'onProgress'>,
    what: Pick<OperationProgress<Phase>, 'phase' | 'unit'>,
    total: number | undefined,
  ) {
    this.#onProgress = onProgress
    this.#what = what
    this.#total = total
    this.#report()
  }

  /** Adds to the total. */
  extend(by: number): void {
    this.#total = (this.#total ?? 0) + by
    this.#report()
  }

  /** Adds work that an earlier run did. */
  resume(by: number): void {
    this.#resumed += by
    this.advance(by)
  }

  advance(by: number): void {
    this.#done += by
    if (this.#total !== undefined) this.#total = Math.max(this.#total, this.#done)
    this.#report()
  }

  #report(): void {
    if (this.#onProgress === undefined) return
    const progress = { ...this.#what, done: this.#done, total: this.#total, resumed: this.#resumed }
    reportSafely(() => this.#onProgress?.(progress))
  }
}
