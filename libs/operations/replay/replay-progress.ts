import type { ReplayCheckpoint } from './checkpoint.ts'
import type { ReplayRange } from './ranges.ts'
import type { LeftOut, Written } from './replay-target.ts'

/** The progress of one partition. */
export interface PartitionProgress extends ReplayRange {
  /** All records before this offset are done. */
  readonly next: number
  /** Records that were read. */
  readonly read: number
  /** Events that were written to the target. */
  readonly replayed: number
  /** Records skipped because they cannot be decoded. */
  readonly leftOut: number
}

type Counts = { -readonly [Name in keyof PartitionProgress]: PartitionProgress[Name] }

/** The maximum of skipped records that are listed. All are counted. */
const namedMax = 100

/** The progress of a replay. */
export class ReplayProgress {
  readonly #partitions: ReadonlyMap<number, Counts>
  readonly #leftOut: LeftOut[]

  private constructor(partitions: readonly PartitionProgress[], leftOut: readonly LeftOut[]) {
    this.#partitions = new Map(partitions.map((each) => [each.partition, { ...each }]))
    this.#leftOut = [...leftOut]
  }

  static of(ranges: readonly ReplayRange[]): ReplayProgress {
    const fresh = ranges.map((range) => ({ ...range, next: range.from, read: 0, replayed: 0, leftOut: 0 }))
    return new ReplayProgress(fresh, [])
  }

  static from({ partitions, leftOut }: Pick<ReplayCheckpoint, 'partitions' | 'leftOut'>): ReplayProgress {
    return new ReplayProgress(partitions, leftOut)
  }

  get partitions(): readonly PartitionProgress[] {
    return [...this.#partitions.values()]
  }

  /** The first skipped records. */
  get leftOut(): readonly LeftOut[] {
    return this.#leftOut
  }

  get isDone(): boolean {
    return this.partitions.every(({ next, until }) => next >= until)
  }

  sum(count: 'read' | 'replayed' | 'leftOut'): number {
    return this.partitions.reduce((sum, partition) => sum + partition[count], 0)
  }

  of(partition: number): PartitionProgress {
    return this.#of(partition)
  }

  advance(partition: number, by: Written & { readonly next: number; readonly read: number }): void {
    const counts = this.#of(partition)
    counts.next = by.next
    counts.read += by.read
    counts.replayed += by.events
    counts.leftOut += by.leftOut.length
    this.#leftOut.push(...by.leftOut.slice(0, namedMax - this.#leftOut.length))
  }

  /** Marks a partition as done: only markers or events that do not match the filter are left. */
  finish(partition: number): void {
    this.#of(partition).next = this.#of(partition).until
  }

  #of(partition: number): Counts {
    const counts = this.#partitions.get(partition)
    if (counts === undefined) throw new RangeError(`partition ${partition} is not replayed`)
    return counts
  }
}
