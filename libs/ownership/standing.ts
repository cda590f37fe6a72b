import type { Logger } from 'pino'

import type { TopicPartition } from '#domain'
import { namedState, type WaitingPartition } from '#event-log'
import type { EventStoreError } from '#event-store'

import { unavailable } from './unavailable.ts'

/** The states of an owned partition. `retrying` includes waiting for an operator. */
type State = 'taking-over' | 'serving' | 'retrying' | 'fenced' | 'stopped'

/** The health of one owned partition. Each trouble is logged once, however long it lasts. */
export class Standing {
  readonly #name: string
  readonly #logger: Logger
  #state: State = 'taking-over'
  #trouble: EventStoreError | undefined

  /** @param name of the partition, for log lines. */
  constructor(name: string, logger: Logger) {
    this.#name = name
    this.#logger = logger
  }

  get isServing(): boolean {
    return this.#state === 'serving'
  }

  /** False once another owner is known or the partition was handed back. */
  get isOwner(): boolean {
    return this.#state !== 'fenced' && this.#state !== 'stopped'
  }

  /** The error of the last failure, until the partition is served again. */
  get trouble(): EventStoreError | undefined {
    return this.#trouble
  }

  serving(): void {
    this.#enter('serving')
    this.#trouble = undefined
  }

  takingOver(): void {
    this.#enter('taking-over')
  }

  fenced(): void {
    this.#enter('fenced')
  }

  /** The final state. */
  stopped(): void {
    this.#state = 'stopped'
  }

  /** @returns the error for callers. */
  failed(error: unknown): EventStoreError {
    this.#enter('retrying')
    const trouble = namedState(error) ?? unavailable(messageOf(error), error)
    if (trouble.message !== this.#trouble?.message) this.#log(error, trouble)
    this.#trouble = trouble
    return trouble
  }

  #enter(state: State): void {
    if (this.#state !== 'stopped') this.#state = state
  }

  #log(error: unknown, { retry, code, message }: EventStoreError): void {
    if (retry === 'never') {
      this.#logger.error({ err: error, state: code }, `${this.#name}: an operator must act: ${message}`)
    } else {
      this.#logger.warn({ err: error }, `${this.#name}: cannot be served now, retrying`)
    }
  }
}

/** A named state as health reports list it. */
export const waitingPartition = (
  { topic, partition }: TopicPartition,
  { code, message }: EventStoreError,
): WaitingPartition | undefined =>
  code === 'log-replaced' || code === 'events-deleted'
    ? { topic, partition, state: code, reason: message }
    : undefined

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
