/** A participant of the comparison: it appends one event to a new stream per call. */
export interface Contender {
  /** @param stream a name that no stream has yet */
  readonly append: (stream: string) => Promise<unknown>
  readonly close: () => Promise<void>
}
