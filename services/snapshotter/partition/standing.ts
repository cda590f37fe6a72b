import type { Logger } from 'pino'

import { namedState, type WaitingPartition } from '#event-log'
import type { EventStoreError } from '#event-store'

const backoffMsMin = 100
const backoffMsMax = 5_000
/** How often it is looked whether an operator has acted. */
const namedStatePauseMs = 2_000

/** How a partition's owner stands: whether it serves, what keeps it from that, and how soon to try again. */
export class Standing {
  readonly #place: { readonly topic: string; readonly partition: number }
  readonly #logger: Logger
  #isServing = false
  #failures = 0
  #named: EventStoreError | undefined

  constructor(place: { readonly topic: string; readonly partition: number }, logger: Logger) {
    this.#place = place
    this.#logger = logger
  }

  get isServing(): boolean {
    return this.#isServing
  }

  /** The error that callers get while the partition waits for an operator. */
  get named(): EventStoreError | undefined {
    return this.#named
  }

  get waiting(): WaitingPartition | undefined {
    if (this.#named === undefined) return undefined
    const { topic, partition } = this.#place
    const { code, message } = this.#named
    return { topic, partition, state: code as WaitingPartition['state'], reason: message }
  }

  /** Its work goes well. */
  works(): void {
    this.#isServing = true
    this.#failures = 0
    this.#named = undefined
  }

  /** It does nothing now, and nothing is wrong with that. */
  rests(): void {
    this.#isServing = true
  }

  /** It serves no more, for now. */
  ends(): void {
    this.#isServing = false
  }

  /** Notes a failure, and logs it: a named state once, however long it lasts. @returns milliseconds until the next try. */
  failed(error: unknown): number {
    this.#isServing = false
    const { topic, partition } = this.#place
    const named = namedState(error)
    if (named === undefined) {
      this.#logger.warn(
        { err: error },
        `no snapshots of ${topic}/${partition} can be taken now: trying again`,
      )
    } else if (named.message !== this.#named?.message) {
      this.#logger.error(
        { state: named.code },
        `the snapshots of ${topic}/${partition} wait for an operator: ${named.message}`,
      )
    }
    this.#named = named
    const delayMs = named === undefined ? this.#nextDelayMs() : namedStatePauseMs
    return delayMs * (0.5 + Math.random() / 2)
  }

  #nextDelayMs(): number {
    return Math.min(backoffMsMax, backoffMsMin * 2 ** this.#failures++)
  }
}
