import { expect, test } from 'vitest'

import { mergeAsync } from './merge-async.ts'

async function* of<T>(...items: T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item)
}

test('gives all items of all sources, each source in its order', async () => {
  const merged: string[] = []
  for await (const item of mergeAsync([of('a1', 'a2', 'a3'), of<string>(), of('b1', 'b2')])) merged.push(item)
  expect(merged.filter((item) => item.startsWith('a'))).toEqual(['a1', 'a2', 'a3'])
  expect(merged.filter((item) => item.startsWith('b'))).toEqual(['b1', 'b2'])
})

test('does not wait for a silent source', async () => {
  const silent: AsyncIterable<string> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
  }
  const merged: string[] = []
  for await (const item of mergeAsync([silent, of('b1', 'b2')])) if (merged.push(item) === 2) break
  expect(merged).toEqual(['b1', 'b2'])
})

test('fails when a source fails, and ends the others', async () => {
  let ended = false
  async function* endless() {
    try {
      for (;;) yield await Promise.resolve('x')
    } finally {
      ended = true
    }
  }
  async function* failing(): AsyncGenerator<string> {
    yield await Promise.resolve('y')
    throw new Error('broker gone')
  }
  await expect(Array.fromAsync(mergeAsync([endless(), failing()]))).rejects.toThrow('broker gone')
  expect(ended).toBe(true)
})
