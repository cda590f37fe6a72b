import type { StoredRecord } from '#kafka'

/** A record that was skipped because it cannot be decoded. */
export interface LeftOut {
  /** `topic:partition:offset` */
  readonly position: string
  readonly reason: string
}

/** The result of a write: how many events were written, and which records were skipped. */
export interface Written {
  readonly events: number
  readonly leftOut: readonly LeftOut[]
}

/** Receives the result at the moment when the events count as written. */
export type OnWritten = (what: Written) => void

/** Where events are replayed to. Several partitions write concurrently, each one chunk after the other. */
export interface ReplayTarget {
  /**
   * Writes the events of records of one partition.
   * @throws UnreadableError before anything is written.
   */
  write(partition: number, records: readonly StoredRecord[], onWritten: OnWritten): Promise<void>
  /**
   * Calls `save` when all written events are durable, and before more are written.
   * @param save receives the size of the file, or 0 without a file.
   */
  settle(save: (fileBytes: number) => Promise<void>): Promise<void>
  close(): Promise<void>
}
