const utf8 = new TextEncoder()
const bytesPerCharacterMax = 3
/** Reused, because a new array for each key took ten times as long as the hash. */
const keyBytes = new Uint8Array(1_024)

/**
 * The partition of a key: `(murmur2(utf8(key)) & 0x7fffffff) mod partitions`. This is the default partitioner of Kafka's Java
 * client, so ksqlDB, Connect and Streams find the same key in the same partition.
 * @param partitions partition count of the topic, from 1.
 */
export const partitionFor = (key: string, partitions: number): number =>
  (murmur2(bytesOf(key)) & 0x7fffffff) % partitions

/** @returns bytes that the next call may overwrite. */
function bytesOf(key: string): Uint8Array {
  if (key.length * bytesPerCharacterMax > keyBytes.length) return utf8.encode(key)
  return keyBytes.subarray(0, utf8.encodeInto(key, keyBytes).written)
}

/**
 * Computes MurmurHash2 with Kafka's seed, as a signed 32-bit number.
 * Source: org.apache.kafka.common.utils.Utils.murmur2, after Austin Appleby's public domain MurmurHash2.
 */
export function murmur2(bytes: Uint8Array): number {
  const multiplier = 0x5bd1e995
  const wholeWords = bytes.length & ~3
  let hash = 0x9747b28c ^ bytes.length
  for (let at = 0; at < wholeWords; at += 4) {
    let word = Math.imul(wordAt(bytes, at), multiplier)
    word ^= word >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  if (bytes.length > wholeWords) {
    for (let at = bytes.length - 1; at >= wholeWords; at--) hash ^= byteAt(bytes, at) << ((at & 3) * 8)
    hash = Math.imul(hash, multiplier)
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0

/** Four bytes, little endian. */
const wordAt = (bytes: Uint8Array, at: number): number =>
  byteAt(bytes, at) |
  (byteAt(bytes, at + 1) << 8) |
  (byteAt(bytes, at + 2) << 16) |
  (byteAt(bytes, at + 3) << 24)
