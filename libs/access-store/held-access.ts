import type { AccessDocument } from '#access'

import type { AccessProblem, AccessState } from './access-source.ts'
import { accessBounds } from './bounds.ts'

/** The state in force in this process, and how well it is known. Only a successful read changes it. */
export class HeldAccess {
  readonly #source: string
  readonly #now: () => number
  readonly #listeners = new Set<(current: AccessDocument) => void>()
  #current: AccessDocument | undefined
  #state: AccessState
  #readAtMs: number | undefined

  /** @param now milliseconds since the epoch */
  constructor(source: string, now: () => number) {
    this.#source = source
    this.#now = now
    this.#state = this.#stateOf('unread', now(), [], 'it has not been read yet')
  }

  get current(): AccessDocument | undefined {
    return this.#current
  }

  get state(): AccessState {
    return this.#state
  }

  /** When the store was last read, in milliseconds since the epoch. */
  get readAtMs(): number | undefined {
    return this.#readAtMs
  }

  onChange(listener: (current: AccessDocument) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The store was read. @param current undefined if it is what is in force already */
  take(current: AccessDocument | undefined, problems: readonly AccessProblem[]): void {
    this.#readAtMs = this.#now()
    const sinceMs = this.#state.status === 'current' ? this.#state.sinceMs : this.#readAtMs
    this.#state = this.#stateOf('current', sinceMs, problems)
    if (current === undefined) return
    this.#current = current
    for (const listener of this.#listeners) tell(listener, current)
  }

  /** The store was read, and nothing has changed. */
  confirm(): void {
    if (this.#state.status === 'current') this.#readAtMs = this.#now()
    else this.take(undefined, this.#state.problems)
  }

  /** The store could not be read. */
  fail(reason: string): void {
    if (this.#readAtMs === undefined) this.#state = this.#stateOf('unread', this.#state.sinceMs, [], reason)
    else this.#state = this.#stateOf('stale', this.#readAtMs, this.#state.problems, reason)
  }

  /** The store is another one than before, for good. */
  replaced(reason: string): void {
    this.#state = this.#stateOf('replaced', this.#readAtMs ?? this.#now(), this.#state.problems, reason)
  }

  #stateOf(
    status: AccessState['status'],
    sinceMs: number,
    problems: readonly AccessProblem[],
    reason?: string,
  ): AccessState {
    const listed = problems.slice(0, accessBounds.problems)
    return {
      ...{ status, source: this.#source, sinceMs, problems: listed },
      problemsLeftOut: problems.length - listed.length,
      ...(reason !== undefined && { reason }),
    }
  }
}

/** A listener must not prevent the change. */
function tell(listener: (current: AccessDocument) => void, current: AccessDocument): void {
  try {
    listener(current)
  } catch {
    // It is the listener's to report.
  }
}
