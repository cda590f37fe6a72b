import fc from 'fast-check'
import { expect, test } from 'vitest'

import { readServerSentEvents } from './server-sent-events.ts'

async function* chunked(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const bounds = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  for (const [index, start] of bounds.entries())
    yield await Promise.resolve(bytes.subarray(start, bounds[index + 1]))
}

const read = (text: string, cuts: readonly number[] = []) =>
  Array.fromAsync(readServerSentEvents(chunked(new TextEncoder().encode(text), cuts)))

test('events have id, name and data; comments are skipped', async () => {
  const text = ':\n\nid: 7\nevent: event\ndata: {"a": ": b"}\n\n: alive\n\ndata:x\ndata: y\n\n'
  expect(await read(text)).toEqual([
    { id: '7', event: 'event', data: '{"a": ": b"}' },
    { id: undefined, event: 'message', data: 'x\ny' },
  ])
})

test('an incomplete event is ignored', async () => {
  const text = 'id: 1\ndata: whole\n\nid: 2\ndata: ha'
  expect((await read(text)).map(({ id }) => id)).toEqual(['1'])
  expect((await read(`${text}lf\n`)).map(({ id }) => id)).toEqual(['1'])
})

test('a stream has the same events wherever the network splits it, also inside characters', async () => {
  const data = fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text))
  await fc.assert(
    fc.asyncProperty(fc.array(data), fc.array(fc.nat(1_000)), async (all, cuts) => {
      const text = all.map((one, index) => `id: ${index}\nevent: event\ndata: ${one}\n\n`).join('')
      expect((await read(text, cuts)).map((event) => event.data)).toEqual(all)
    }),
  )
})
