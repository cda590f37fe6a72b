const utf8 = new TextEncoder()

/**
 * The partition of a key: `(murmur2(utf8(key)) & 0x7fffffff) mod partitions`. This is the default partitioner of Kafka's Java
 * client, so ksqlDB, Connect and Streams find the same key in the same partition.
 * @param partitions partition count of the topic, from 1.
 */
export const partitionFor = (key: string, partitions: number): number =>
  (murmur2(utf8.encode(key)) & 0x7fffffff) % partitions

/**
 * Computes MurmurHash2 with Kafka's seed, as a signed 32-bit number.
 * Source: org.apache.kafka.common.utils.Utils.murmur2, after Austin Appleby's public domain MurmurHash2.
 */
export function murmur2(bytes: Uint8Array): number {
  const multiplier = 0x5bd1e995
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const wholeWords = bytes.length & ~3
  let hash = 0x9747b28c ^ bytes.length
  for (let at = 0; at < wholeWords; at += 4) {
    let word = Math.imul(view.getInt32(at, true), multiplier)
    word ^= word >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  if (bytes.length > wholeWords) {
    for (let at = bytes.length - 1; at >= wholeWords; at--) hash ^= view.getUint8(at) << ((at & 3) * 8)
    hash = Math.imul(hash, multiplier)
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}
