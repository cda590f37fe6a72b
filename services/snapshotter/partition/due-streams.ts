import type { StreamId, Version } from '#domain'
import { eventIn } from '#event-log/records'
import type { StoredRecord } from '#kafka'

/**
 * The streams that want a snapshot, with the highest version of those that are a multiple of `every`.
 * @param topic where the records are from.
 * @param onForeign called with each record that is no event of Annals.
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
