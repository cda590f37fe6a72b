import { crc32 } from 'node:zlib'

/** Which streams are looked at closely. */
export interface Sample {
  /** Share of the streams, by the hash of their ids; 1 takes all. */
  readonly fraction: number
  has(streamId: string): boolean
}

export const wholeLog: Sample = { fraction: 1, has: () => true }

const hashesMax = 2 ** 32

/**
 * Chooses about this many of all streams, always the same for a seed. The hash of the id decides, so no list is needed.
 * @param streams how many there are.
 */
export function sampleOf(size: number, streams: number, seed: string): Sample {
  const fraction = Math.min(1, size / Math.max(1, streams))
  const limit = fraction * hashesMax
  return { fraction, has: (streamId) => spread(crc32(`${seed}/${streamId}`)) < limit }
}

/** Checksums of texts that differ in their last letters only lie close together: this spreads them (the finalizer of MurmurHash3). */
function spread(hash: number): number {
  let spreading = hash
  spreading = Math.imul(spreading ^ (spreading >>> 16), 0x85ebca6b)
  spreading = Math.imul(spreading ^ (spreading >>> 13), 0xc2b2ae35)
  return (spreading ^ (spreading >>> 16)) >>> 0
}
