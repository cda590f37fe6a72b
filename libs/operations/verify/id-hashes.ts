import { crc32 } from 'node:zlib'

const chunkIds = 1 << 16

/**
 * Finds event ids that occur twice in one stream, with 8 bytes per id: it stores hashes of 53 bits and sorts them. A hash that occurs twice
 * is only a suspect: a second read of those events shows whether the ids are equal. The same id in another stream is another event.
 */
export class IdHashes {
  #chunks: Float64Array[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  add(streamId: string, id: string): void {
    const at = this.#size % chunkIds
    if (at === 0) this.#chunks.push(new Float64Array(chunkIds))
    const chunk = this.#chunks.at(-1)
    if (chunk !== undefined) chunk[at] = hashOf(streamId, id)
    this.#size++
  }

  /** Returns the hashes that were added more than once, and removes all hashes. */
  takeRepeated(): Set<number> {
    const all = new Float64Array(this.#size)
    for (const [index, chunk] of this.#chunks.entries()) {
      all.set(chunk.subarray(0, this.#size - index * chunkIds), index * chunkIds)
    }
    this.#chunks = []
    this.#size = 0
    all.sort()
    return new Set(all.filter((hash, index) => index > 0 && hash === all[index - 1]))
  }
}

const fnvOffset = 0x811c9dc5
const fnvPrime = 0x01000193

/** The hash of an id in its stream. 53 bits: 32 of FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) and 21 of CRC-32. */
export function hashOf(streamId: string, id: string): number {
  const text = `${streamId}/${id}`
  let hash = fnvOffset
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), fnvPrime)
  return (hash >>> 0) * 2 ** 21 + (crc32(text) & 0x1fffff)
}
