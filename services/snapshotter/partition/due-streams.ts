import type { StreamId, Version } from '#domain'
import { eventIn } from '#event-log/records'
import type { StoredRecord } from '#kafka'

/**
 * The streams that are due for a snapshot, each with its highest version that is a multiple of `every`.
 * @param topic of the records.
 * @param onForeign called with each record that is not an event of Annals.
 */
export function dueStreams(
  topic: string,
  records: readonly StoredRecord[],
  every: number,
  onForeign: (offset: number, error: unknown) => void,
): Map<StreamId, Version> {
  const due = new Map<StreamId, Version>()
  for (const record of records) {
    try {
      const { streamId, version } = eventIn(topic, record)
      if (version % every === 0) due.set(streamId, version)
    } catch (error) {
      onForeign(record.offset, error)
    }
  }
  return due
}
