import { type CallSamples, runCallers } from '../callers.ts'

/** A participant of the comparison: it appends one event to a new stream per call. */
export interface Contender {
  /** @param stream a name that no stream has yet */
  readonly append: (stream: string) => Promise<unknown>
  readonly close: () => Promise<void>
}

/** A participant whose callers run in one or more processes. */
export interface Load {
  /**
   * Callers append to new streams, each again as soon as it has its answer.
   * @param run starts the names of the streams; no run before had it
   * @returns the calls of each process
   */
  readonly measure: (callers: number, durationMs: number, run: string) => Promise<readonly CallSamples[]>
  readonly close: () => Promise<void>
}

/** The load of callers in this process. */
export const loadOf = ({ append, close }: Contender): Load => ({
  measure: async (callers, durationMs, run) => [
    await runCallers(callers, durationMs, (n) => append(`${run}-${n}`)),
  ],
  close,
})
