import { parseStreamId, parseVersion, type StreamId, type Version } from '#domain'
import type { LogRecord, StoredRecord } from '#kafka'

/** A snapshot whose state is encoded: what a record of a snapshot topic holds. */
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
  /** Of the encoded state. */
  readonly bytes: number
  /** Of the event topic that the state was folded from; undefined in records of older versions. */
  readonly topicId?: string
}

/**
 * The record of a snapshot. The last one of a key counts, and compaction keeps just that.
 * @param topicId of the event topic that the state was folded from: of a topic that was created again it means nothing.
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

/** Takes a stream's snapshot out of the topic. */
export const noSnapshotRecord = (streamId: StreamId): LogRecord => ({
  key: Buffer.from(streamId),
  value: null,
  headers: [],
  timestampMs: Date.now(),
})

/**
 * The head of a record made by {@link toSnapshotRecord}.
 * @returns undefined where the record takes its stream's snapshot out.
 * @throws InvalidInputError naming the header, when the record is none of ours.
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
