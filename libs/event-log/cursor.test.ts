import { expect, test } from 'vitest'

import { formatCursor, parseCursor } from './cursor.ts'

test('a cursor round-trips', () => {
  expect(parseCursor(formatCursor([12, 0, 7]), 3)).toEqual([12, 0, 7])
})

test.each(['', '1,2', '1,2,3,4', '1,-2,3', '1,x,3', '1,2,9999999999999999'])(
  'the cursor %j is rejected for three partitions',
  (text) => {
    expect(() => parseCursor(text, 3)).toThrow(expect.objectContaining({ path: 'cursor' }))
  },
)
