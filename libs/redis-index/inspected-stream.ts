import { decodeSnapshot, type StoredSnapshot } from './snapshot.ts'
import { decodeStreamRecord, type StreamRecord } from './stream-record.ts'
import { unpackOffsets } from './packed-offsets.ts'

/** Everything that the index holds of a stream, for comparison with the log. */
export interface InspectedStream extends Pick<
  StreamRecord,
  'version' | 'firstTimestampMs' | 'lastTimestampMs'
> {
  /** The offsets of versions 1, 2, 3 … */
  readonly offsets: readonly number[]
  readonly snapshot?: StoredSnapshot
}

/** The reply of inspectScript for one stream. */
export type InspectedParts = readonly [
  record: Buffer | null,
  chunks: readonly (Buffer | null)[],
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

function decoded(bytes: Buffer, [, chunks, stored]: InspectedParts): InspectedStream {
  const { version, firstTimestampMs, lastTimestampMs, chunk } = decodeStreamRecord(bytes)
  const packed = [...chunks.map((full) => full ?? Buffer.alloc(0)), chunk]
  const snapshot = stored === null ? undefined : decodeSnapshot(stored)
  return {
    ...{ version, firstTimestampMs, lastTimestampMs },
    offsets: packed.flatMap(unpackOffsets),
    ...(snapshot && { snapshot }),
  }
}
