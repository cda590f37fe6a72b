import type { LogReader } from '#kafka'

/**
 * Whether an event of version 1 is the first event of its stream. It is if the log is read from its first record ever, or
 * if a term is in force: then only owners' events count. Data before the first marker may repeat the versions of a stream.
 * The first event of each version counts, and it may be in a deleted head.
 */
export class StreamStarts {
  readonly #reader: Pick<LogReader, 'termBefore'>
  readonly #topic: string
  readonly #partition: number
  /** An offset from which on a term is in force. */
  #inTermFrom = Infinity

  constructor(reader: Pick<LogReader, 'termBefore'>, topic: string, partition: number) {
    this.#reader = reader
    this.#topic = topic
    this.#partition = partition
  }

  /** @param from where the log is read from. @throws LogError */
  async areReadFrom(from: number): Promise<boolean> {
    if (from === 0 || from >= this.#inTermFrom) return true
    if ((await this.#reader.termBefore(this.#topic, this.#partition, from)) === undefined) return false
    this.#inTermFrom = from
    return true
  }
}
