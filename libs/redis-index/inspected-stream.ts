import { decodeEventRun } from './event-run.ts'
import { decodeSnapshot, type StoredSnapshot } from './snapshot.ts'
import { assembleRecent } from './stream-parts.ts'
import { decodeStreamRecord, type StreamRecord } from './stream-record.ts'
import { unpackOffsets } from './packed-offsets.ts'

/** Everything that the index holds of a stream, for comparison with the log. */
export interface InspectedStream extends Pick<
  StreamRecord,
  'version' | 'firstTimestampMs' | 'lastTimestampMs'
> {
  /** The offsets of versions 1, 2, 3 … */
  readonly offsets: readonly number[]
  /** The stored events by version from 1; `undefined` for each that the index does not have. */
  readonly recent: readonly (Buffer | undefined)[]
  readonly snapshot?: StoredSnapshot
}

/** The reply of inspectScript for one stream. */
export type InspectedParts = readonly [
  record: Buffer | null,
  chunks: readonly (Buffer | null)[],
  tail: Buffer | null,
  lately: Buffer | null,
  snapshot: Buffer | null,
]

/** @returns the reason if the stream cannot be read; undefined when there is no such stream. */
export function inspectedStream(parts: InspectedParts): InspectedStream | Error | undefined {
  const [record] = parts
  if (record === null) return undefined
  try {
    return decoded(record, parts)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function decoded(bytes: Buffer, [, chunks, tail, lately, stored]: InspectedParts): InspectedStream {
  const { version, firstTimestampMs, lastTimestampMs, chunk } = decodeStreamRecord(bytes)
  const packed = [...chunks.map((full) => full ?? Buffer.alloc(0)), chunk]
  const snapshot = stored === null ? undefined : decodeSnapshot(stored)
  const recent = { version, tail: decodeEventRun(tail), lately: decodeEventRun(lately) }
  return {
    ...{ version, firstTimestampMs, lastTimestampMs },
    offsets: packed.flatMap(unpackOffsets),
    recent: assembleRecent(recent, 1, version),
    ...(snapshot && { snapshot }),
  }
}
