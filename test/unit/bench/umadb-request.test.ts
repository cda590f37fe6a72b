import { expect, test } from 'vitest'

import { appendRequest } from '../../../bench/contenders/umadb/append-request.ts'

const bytes = (text: string): number[] => [...Buffer.from(text)]

test('an append to UmaDB fails if an event with the same tag exists', () => {
  const request = appendRequest({ type: 'T', tag: 'ab', data: Buffer.alloc(200, 'x'), uuid: 'u' })
  const event = [
    ...[0x0a, 1, ...bytes('T')],
    ...[0x12, 2, ...bytes('ab')],
    // Lengths above 127 take two bytes.
    ...[0x1a, 0xc8, 0x01, ...bytes('x'.repeat(200))],
    ...[0x22, 1, ...bytes('u')],
  ]
  const tags = [0x12, 2, ...bytes('ab')]
  const condition = [0x0a, 6, 0x0a, 4, ...tags]
  expect([...request]).toEqual([
    ...[0x0a, (event.length & 0x7f) | 0x80, event.length >> 7, ...event],
    ...[0x12, condition.length, ...condition],
  ])
})
