const seed = 0x9747b28c
const multiplier = 0x5bd1e995
const shift = 24

const mix = (word: number): number => {
  const mixed = Math.imul(word, multiplier)
  return Math.imul(mixed ^ (mixed >>> shift), multiplier)
}

/**
 * Murmur2 as Kafka's Java client computes it, a signed 32-bit number
 * (org.apache.kafka.common.utils.Utils#murmur2; after MurmurHash2 by Austin Appleby).
 */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  const words = length >> 2
  let hash = seed ^ length
  for (let word = 0; word < words; word++) {
    hash = Math.imul(hash, multiplier) ^ mix(view.getInt32(word * 4, true))
  }
  if (length % 4 !== 0) {
    for (let index = length - 1; index >= words * 4; index--) {
      hash ^= view.getUint8(index) << (8 * (index % 4))
    }
    hash = Math.imul(hash, multiplier)
  }
  hash ^= hash >>> 13
  hash = Math.imul(hash, multiplier)
  return hash ^ (hash >>> 15)
}

/** The partition of a stream, as the Java client's default partitioner chooses it: ksqlDB, Connect and Streams agree. */
export const partitionFor = (streamId: string, partitions: number): number =>
  (murmur2(Buffer.from(streamId)) & 0x7fffffff) % partitions
