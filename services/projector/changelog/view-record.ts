import type { LogRecord, StoredRecord } from '#kafka'
import type { UnpublishedView } from '#projections'

const changedAtHeader = 'annals_changedat'

/**
 * The record of a view, with its key and value, headers with its origin, and the time of publishing as its timestamp.
 * (Kafka rolls segments by timestamp. The unordered times of imported events would divide the topic into tiny segments.)
 * @param generation of the view. @param value null for a deleted view.
 */
export function toViewRecord(
  { key, revision, changedAtMs }: UnpublishedView,
  generation: string,
  value: Buffer | null,
): LogRecord {
  return {
    key: Buffer.from(key),
    value,
    headers: [
      ['content-type', 'application/avro'],
      ['annals_generation', generation],
      ['annals_revision', String(revision)],
      [changedAtHeader, new Date(changedAtMs).toISOString()],
    ],
    timestampMs: Date.now(),
  }
}

/** The time of the change in the record of a view, ISO 8601. */
export function changedAtOf({ headers, timestampMs }: StoredRecord): string {
  const header = headers.find(([name]) => name === changedAtHeader)
  return header === undefined ? new Date(timestampMs).toISOString() : header[1].toString()
}
