import type { EventStoreError } from '#event-store'

/** The context of each step of a term. */
export interface TermContext {
  /** Aborts when the partition must be handed back: finish the step in progress and return. */
  readonly signal: AbortSignal
  /** Reports that the partition is served: it counts as healthy, and the back-off is reset. */
  readonly serving: () => void
}

/**
 * The work of one kind of owned partition. {@link TermLoop} calls these methods one at a time: `checkLog`, `prepare`
 * and `takeOver` once for each term, then `catchUp` and `serve` in turn until the term ends, then `end`.
 * A LogError `fenced`, `unknown`, `take-over` or `log-replaced` ends the term. After any other error the same term
 * catches up again. Both happen after a back-off.
 */
export interface TermWork<Term> {
  /** Throws while this log must not be served. Must be cheap. @throws LogError `log-replaced` */
  checkLog?(): void
  /**
   * Checks that a term could do its work now. A take-over costs a marker in the log and one of 32,750 epochs, so none
   * starts while an index or a store is down.
   */
  prepare(): Promise<void>
  /** Takes the partition over, or claims it. @throws LogError */
  takeOver(): Promise<Term>
  /** Brings the index or store of the term up to date with the log. */
  catchUp(term: Term, context: TermContext): Promise<void>
  /** Serves until the signal aborts. If it returns earlier, the term catches up again. */
  serve(term: Term, context: TermContext): Promise<void>
  /** Releases the resources of the term. It is no longer served. */
  end(term: Term): void
  /** Called after each failure, before the back-off. Waiting requests may be answered with the error. */
  failed?(trouble: EventStoreError): void
  /** Called when the partition goes to another owner, or on stop. Waiting requests must be answered. */
  handBack?(): void
  /** Fields of a term for its log line, such as the epoch. */
  describe?(term: Term): object
}
