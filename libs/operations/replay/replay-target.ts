import type { StoredRecord } from '#kafka'

/** A record that was left out because it cannot be decoded. */
export interface LeftOut {
  /** `topic:partition:offset` */
  readonly position: string
  readonly reason: string
}

/** What became of records that a target was given. */
export interface Written {
  readonly events: number
  readonly leftOut: readonly LeftOut[]
}

/** Where events are replayed to. Several partitions write at once, each its own events one piece after the other. */
export interface ReplayTarget {
  /**
   * Writes the events of records of one partition.
   * @param written called in the moment in which they count as written.
   * @throws UnreadableError before anything is written.
   */
  write(partition: number, records: readonly StoredRecord[], written: (what: Written) => void): Promise<void>
  /**
   * Calls `save` when all that counts as written is safe, and before anything more is.
   * @param save receives the length of the file, where there is one.
   */
  settle(save: (fileBytes: number) => Promise<void>): Promise<void>
  close(): Promise<void>
}
