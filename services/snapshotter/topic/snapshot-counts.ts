import type { SnapshotStatistics } from '#event-store'
import type { LogReader } from '#kafka'

import { scanSnapshots } from './scan-snapshots.ts'
import type { SnapshotHead } from './snapshot-record.ts'

type SnapshotCounts = Pick<SnapshotStatistics, 'count' | 'outdated' | 'bytes' | 'oldest' | 'newest'>

/** Counts are cached for this time, because counting reads whole topics. */
const freshMs = 10_000

interface Counted {
  readonly atMs: number
  readonly counts: Promise<SnapshotCounts>
}

/** Counts the snapshots in their topics. */
export class SnapshotCounter {
  readonly #reader: LogReader
  readonly #counted = new Map<string, Counted>()

  constructor(reader: LogReader) {
    this.#reader = reader
  }

  /** @throws LogError `unavailable` */
  counts(aggregateType: string, partitions: number, stateVersion: number): Promise<SnapshotCounts> {
    const known = this.#counted.get(aggregateType)
    if (known !== undefined && performance.now() - known.atMs < freshMs) return known.counts
    const counts = this.#count(aggregateType, partitions, stateVersion)
    this.#counted.set(aggregateType, { atMs: performance.now(), counts })
    counts.catch(() => this.#counted.delete(aggregateType))
    return counts
  }

  async #count(aggregateType: string, partitions: number, stateVersion: number): Promise<SnapshotCounts> {
    let total: SnapshotCounts = { count: 0, outdated: 0, bytes: 0 }
    // One partition at a time, so that the heads of only one partition are in memory.
    for (let partition = 0; partition < partitions; partition++) {
      const heads = await scanSnapshots(this.#reader, aggregateType, partition)
      total = heads.reduce((sum, head) => added(sum, head, stateVersion), total)
    }
    return total
  }
}

function added(counts: SnapshotCounts, head: SnapshotHead, stateVersion: number): SnapshotCounts {
  const time = new Date(head.timestampMs).toISOString()
  const { oldest = time, newest = time } = counts
  return {
    count: counts.count + 1,
    outdated: counts.outdated + (head.stateVersion === stateVersion ? 0 : 1),
    bytes: counts.bytes + head.bytes,
    oldest: time < oldest ? time : oldest,
    newest: time > newest ? time : newest,
  }
}
