import type { Version } from '#domain'
import type { StoredEvent } from '#event-log/records'
import type { ReadPlan } from '#event-store'

/** Versions, both inclusive. */
export type VersionSpan = readonly [from: number, to: number]

/** Versions read in the first step: how large events are is not known before, and one append may bring 512 KiB. */
const firstVersions = 20
const versionsMax = 1_000
/** What further steps should bring, as the events before them were. */
const stepBytes = 1 << 20

interface Versions extends Pick<ReadPlan, 'direction'> {
  readonly fromVersion: number
  readonly toVersion: number
}

/** A long history is read in steps, so that no step holds many bytes, however large its events are. */
export class HistorySteps {
  readonly #isForwards: boolean
  readonly #first: number
  readonly #last: number
  readonly #wanted: number
  #size: number
  #next: number

  /** @param wanted events after which the reader has enough; more are not read in one step. */
  constructor(plan: Versions, version: number, wanted: number) {
    this.#isForwards = plan.direction === 'forwards'
    this.#first = Math.max(1, plan.fromVersion)
    this.#last = Math.min(plan.toVersion, version)
    this.#wanted = Math.min(wanted, versionsMax)
    this.#size = Math.min(this.#wanted, firstVersions)
    this.#next = this.#isForwards ? this.#first : this.#last
  }

  /** Where the next step begins; undefined at the end. */
  get next(): Version | undefined {
    return this.#next >= this.#first && this.#next <= this.#last ? (this.#next as Version) : undefined
  }

  /** The versions of the next step. */
  take(): VersionSpan | undefined {
    const { next } = this
    if (next === undefined) return undefined
    if (this.#isForwards) {
      const to = Math.min(this.#last, next + this.#size - 1)
      this.#next = to + 1
      return [next, to]
    }
    const from = Math.max(this.#first, next - this.#size + 1)
    this.#next = from - 1
    return [from, next]
  }

  /** The size of the next step follows from what the last one brought. */
  learn(events: readonly StoredEvent[]): void {
    if (events.length === 0) return
    const fitting = Math.floor(stepBytes / Math.max(1, bytesOf(events) / events.length))
    this.#size = Math.min(this.#wanted, Math.max(1, fitting))
  }
}

/** What events take encoded, without their metadata. */
export const bytesOf = (events: readonly StoredEvent[]): number =>
  events.reduce((sum, { value }) => sum + value.length, 0)
