import { parseStreamId, parseVersion, type StreamId, type Version } from '#domain'
import type { LogRecord, StoredRecord } from '#kafka'

/** A snapshot whose state is encoded, as in a record of a snapshot topic. */
export interface EncodedSnapshot {
  readonly streamId: StreamId
  readonly version: Version
  readonly stateVersion: number
  readonly timestampMs: number
  /** Avro in the Confluent wire format. */
  readonly state: Buffer
}

/** A snapshot without its state. */
export interface SnapshotHead extends Omit<EncodedSnapshot, 'state'> {
  /** Size of the encoded state. */
  readonly bytes: number
  /** Id of the event topic that the state was folded from; undefined in records of older versions. */
  readonly topicId?: string
}

/**
 * The record of a snapshot. The last record of a key is the valid one, and compaction keeps it.
 * @param topicId of the event topic that the state was folded from. The snapshot is invalid for a recreated topic.
 */
export const toSnapshotRecord = (snapshot: EncodedSnapshot, topicId?: string): LogRecord => ({
  key: Buffer.from(snapshot.streamId),
  value: snapshot.state,
  headers: [
    ['content-type', 'application/avro'],
    ['streamversion', String(snapshot.version)],
    ['stateversion', String(snapshot.stateVersion)],
    ['timestamp', new Date(snapshot.timestampMs).toISOString()],
    ...(topicId === undefined ? [] : [['topicid', topicId] as const]),
  ],
  timestampMs: snapshot.timestampMs,
})

/** The tombstone of a stream's snapshot. */
export const noSnapshotRecord = (streamId: StreamId): LogRecord => ({
  key: Buffer.from(streamId),
  value: null,
  headers: [],
  timestampMs: Date.now(),
})

/**
 * The head of a record written by {@link toSnapshotRecord}.
 * @returns undefined if the record is a tombstone.
 * @throws InvalidInputError with the header that is missing or malformed, if the record is foreign.
 */
export function snapshotHead({ key, value, headers }: StoredRecord): SnapshotHead | undefined {
  const streamId = parseStreamId(key.toString())
  if (value === null) return undefined
  const texts = new Map(headers.map(([name, text]) => [name, text.toString()]))
  const topicId = texts.get('topicid')
  return {
    streamId,
    version: parseVersion(texts.get('streamversion'), 'headers.streamversion'),
    stateVersion: parseVersion(texts.get('stateversion'), 'headers.stateversion'),
    timestampMs: Date.parse(texts.get('timestamp') ?? ''),
    bytes: value.length,
    ...(topicId !== undefined && { topicId }),
  }
}
