import type { Version } from '#domain'
import type { StoredEvent } from '#event-log/records'
import type { ReadPlan } from '#event-store'

/** Versions, both inclusive. */
export type VersionSpan = readonly [from: number, to: number]

/** Versions of the first step. The size of events is not known before, and one append may contain 512 KiB. */
const firstVersions = 20
const versionsMax = 1_000
/** Target size of further steps, estimated from the events before. */
const stepBytes = 1 << 20

interface Versions extends Pick<ReadPlan, 'direction'> {
  readonly fromVersion: number
  readonly toVersion: number
}

/** Divides a long history into steps that are bounded in bytes for events of any size. */
export class HistorySteps {
  readonly #isForwards: boolean
  readonly #first: number
  readonly #last: number
  readonly #wanted: number
  #size: number
  #next: number

  /** @param wanted number of events that the reader needs; an upper bound for one step. */
  constructor(plan: Versions, version: number, wanted: number) {
    this.#isForwards = plan.direction === 'forwards'
    this.#first = Math.max(1, plan.fromVersion)
    this.#last = Math.min(plan.toVersion, version)
    this.#wanted = Math.min(wanted, versionsMax)
    this.#size = Math.min(this.#wanted, firstVersions)
    this.#next = this.#isForwards ? this.#first : this.#last
  }

  /** The first version of the next step; undefined at the end. */
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

  /** Adjusts the size of the next step to the events of the last one. */
  learn(events: readonly StoredEvent[]): void {
    if (events.length === 0) return
    const fitting = Math.floor(stepBytes / Math.max(1, bytesOf(events) / events.length))
    this.#size = Math.min(this.#wanted, Math.max(1, fitting))
  }
}

/** Encoded size of events, without their metadata. */
export const bytesOf = (events: readonly StoredEvent[]): number =>
  events.reduce((sum, { value }) => sum + value.length, 0)
