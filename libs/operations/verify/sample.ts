import { crc32 } from 'node:zlib'

/** The streams that are verified. */
export interface StreamSample {
  /** Share of all streams; 1 for all. */
  readonly fraction: number
  has(streamId: string): boolean
}

export const wholeLog: StreamSample = { fraction: 1, has: () => true }

const hashesMax = 2 ** 32

/**
 * Chooses about this many streams, always the same ones for a seed. The hash of the id decides, so no list is needed.
 * @param streams the number of all streams.
 */
export function sampleOf(size: number, streams: number, seed: string): StreamSample {
  const fraction = Math.min(1, size / Math.max(1, streams))
  const limit = fraction * hashesMax
  return { fraction, has: (streamId) => spread(crc32(`${seed}/${streamId}`)) < limit }
}

/** Spreads checksums, which are close together for texts that differ only in their last letters (the finalizer of MurmurHash3). */
function spread(hash: number): number {
  let spreading = hash
  spreading = Math.imul(spreading ^ (spreading >>> 16), 0x85ebca6b)
  spreading = Math.imul(spreading ^ (spreading >>> 13), 0xc2b2ae35)
  return (spreading ^ (spreading >>> 16)) >>> 0
}
