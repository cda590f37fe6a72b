/** One of those that are compared: appends one event to a new stream, again and again. */
export interface Contender {
  /** @param stream a name that no stream has yet. */
  readonly append: (stream: string) => Promise<unknown>
  readonly close: () => Promise<void>
}
