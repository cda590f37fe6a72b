/** What a handler did with an event. */
export type Outcome =
  | { readonly kind: 'ack' }
  /** Skipped on purpose; the next event follows. */
  | { readonly kind: 'skip'; readonly reason: string }
  /** The subscriber takes no more events; this one counts as not handled. */
  | { readonly kind: 'stop'; readonly reason: string }

export const ack: Outcome = { kind: 'ack' }
export const skip = (reason: string): Outcome => ({ kind: 'skip', reason })
export const stop = (reason: string): Outcome => ({ kind: 'stop', reason })
