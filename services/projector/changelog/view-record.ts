import type { LogRecord, StoredRecord } from '#kafka'
import type { UnpublishedView } from '#projections'

const changedAtHeader = 'annals_changedat'

/**
 * The record of a view: key and value are the view's, headers say what it was made from, the timestamp when it was published.
 * (Kafka rolls segments by timestamps: those of imported events, all out of order, would cut the topic into tiny ones.)
 * @param generation the view's. @param value null for a view that is gone.
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

/** When a view changed, by its record: ISO 8601. */
export function changedAtOf({ headers, timestampMs }: StoredRecord): string {
  const header = headers.find(([name]) => name === changedAtHeader)
  return header === undefined ? new Date(timestampMs).toISOString() : header[1].toString()
}
