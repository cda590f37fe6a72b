/** 32-bit words of a message. */
const messageWords = 4
/** The last word of a message of 16 bytes: its length in the highest byte. */
const lengthWord = (4 * messageWords) << 24

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

/**
 * HalfSipHash-2-4 of the four words at a position. Nobody can choose words that collide without knowing the key.
 * https://github.com/veorq/SipHash (halfsiphash.c), where words are little endian.
 * @param key two words
 * @returns a number of 32 bits
 */
export function halfSipHash(key: Uint32Array, words: Uint32Array, at: number): number {
  let v0 = key[0] ?? 0
  let v1 = key[1] ?? 0
  let v2 = 0x6c796765 ^ v0
  let v3 = 0x74656462 ^ v1
  for (let word = 0; word <= messageWords + 1; word++) {
    const isFinal = word > messageWords
    const message = word < messageWords ? (words[at + word] ?? 0) : lengthWord
    if (isFinal) v2 ^= 0xff
    else v3 ^= message
    for (let round = isFinal ? 0 : 2; round < 4; round++) {
      v0 = (v0 + v1) | 0
      v1 = rotate(v1, 5) ^ v0
      v0 = rotate(v0, 16)
      v2 = (v2 + v3) | 0
      v3 = rotate(v3, 8) ^ v2
      v0 = (v0 + v3) | 0
      v3 = rotate(v3, 7) ^ v0
      v2 = (v2 + v1) | 0
      v1 = rotate(v1, 13) ^ v2
      v2 = rotate(v2, 16)
    }
    if (!isFinal) v0 ^= message
  }
  return (v1 ^ v3) >>> 0
}
