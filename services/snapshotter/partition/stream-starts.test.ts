import { expect, test } from 'vitest'

import { StreamStarts } from './stream-starts.ts'

/** A log whose first marker is before offset 50. */
function startsOf() {
  const asked: number[] = []
  const reader = {
    termBefore: (_topic: string, _partition: number, offset: number) => {
      asked.push(offset)
      return Promise.resolve(offset < 50 ? undefined : { producerId: 1n, epoch: 1 })
    },
  }
  return { asked, starts: new StreamStarts(reader, 'eventstore.order', 0) }
}

test('a log that is read from its first record shows where each stream starts', async () => {
  const { starts, asked } = startsOf()
  expect(await starts.areReadFrom(0)).toBe(true)
  expect(asked).toEqual([])
})

test('behind it, or if its head was deleted, it does only where a term is in force', async () => {
  const { starts, asked } = startsOf()
  expect(await starts.areReadFrom(10)).toBe(false)
  expect(await starts.areReadFrom(60)).toBe(true)
  expect(await starts.areReadFrom(70)).toBe(true)
  expect(asked).toEqual([10, 60])
})
