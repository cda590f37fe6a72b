import type { EventStoreError } from '#event-store'

/** What the loop gives to each step of a term. */
export interface TermContext {
  /** Aborts when the partition is to be handed back: finish the step in progress and return. */
  readonly signal: AbortSignal
  /** Reports that the partition is served now: the partition counts as healthy and the back-off starts small again. */
  readonly serving: () => void
}

/**
 * What is specific to a service that owns partitions. {@link TermLoop} calls these, one at a time:
 * `checkLog`, `prepare` and `takeOver` once for each term, then `catchUp` and `serve` in turn until the term ends, then `end`.
 * A LogError `fenced`, `unknown`, `take-over` or `log-replaced` ends the term. After any other error the same term
 * catches up again. Both happen after a back-off.
 */
export interface TermWork<Term> {
  /** Throws while this log must not be served; must cost nothing. @throws LogError `log-replaced` */
  checkLog?(): void
  /**
   * Checks that a term could do its work now. A take-over costs the log a marker and one of 32,750 epochs, so none is
   * started while an index or a store is down.
   */
  prepare(): Promise<void>
  /** Takes the partition over, or claims it. @throws LogError */
  takeOver(): Promise<Term>
  /** Brings what the term serves from up to date with the log. */
  catchUp(term: Term, context: TermContext): Promise<void>
  /** Serves until the signal aborts. One that returns earlier asks to catch up again. */
  serve(term: Term, context: TermContext): Promise<void>
  /** Frees what the term holds. It is not served any more. */
  end(term: Term): void
  /** Called after each failure, before the pause: those that wait may be answered with the error. */
  failed?(trouble: EventStoreError): void
  /** Called when the partition is given up, to another owner or on stop: nothing may wait here any longer. */
  handBack?(): void
  /** Fields of a term that its log line shows, such as the epoch. */
  describe?(term: Term): object
}
