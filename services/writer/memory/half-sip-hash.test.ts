import { expect, test } from 'vitest'

import { halfSipHash } from './half-sip-hash.ts'

/** From vectors.h of the reference: key 00 to 07, message 00 to 0f. */
test('the hash is that of the reference', () => {
  const bytes = (length: number) => new Uint32Array(Uint8Array.from({ length }, (_, byte) => byte).buffer)
  const hash = Buffer.alloc(4)
  hash.writeUInt32LE(halfSipHash(bytes(8), bytes(16), 0))
  expect(hash.toString('hex')).toBe('d9b5ac84')
})
