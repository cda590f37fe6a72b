import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { StoredRecord } from '#kafka'

import { mergeByTime } from './merge-by-time.ts'

const record = (timestampMs: number, offset: number): StoredRecord => ({
  ...{ offset, timestampMs, key: Buffer.from('k'), value: null, headers: [] },
})

async function* inChunks(times: readonly number[], size: number): AsyncGenerator<StoredRecord[]> {
  for (let at = 0; at < times.length; at += size) {
    await Promise.resolve()
    yield times.slice(at, at + size).map((time, index) => record(time, at + index))
  }
}

const merged = async (sources: readonly (readonly number[])[], chunk = 3) => {
  const pieces = await Array.fromAsync(mergeByTime(sources.map((times) => inChunks(times, chunk))))
  return pieces.flat().map(({ source, record: { offset, timestampMs } }) => ({ source, offset, timestampMs }))
}

test('ordered sources become one ordered sequence; equal times are ordered by the index of the source', async () => {
  const all = await merged([[1, 4, 4], [], [2, 4, 9]])
  expect(all.map(({ source, timestampMs }) => [timestampMs, source])).toEqual([
    ...[
      [1, 0],
      [2, 2],
      [4, 0],
      [4, 0],
      [4, 2],
      [9, 2],
    ],
  ])
})

test('nothing is lost, each source keeps its order, and chunk sizes do not matter', async () => {
  const times = fc.array(fc.nat({ max: 20 }), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(times, { maxLength: 6 }),
      fc.integer({ min: 1, max: 8 }),
      async (sources, chunk) => {
        const all = await merged(sources, chunk)
        for (const [source, own] of sources.entries()) {
          expect(all.filter((it) => it.source === source).map(({ offset }) => offset)).toEqual([
            ...own.keys(),
          ])
        }
        expect(all).toEqual(await merged(sources, 1_000))
      },
    ),
    { numRuns: 60 },
  )
})

test('a consumer that stops early closes the sources', async () => {
  let closed = 0
  async function* endless(): AsyncGenerator<StoredRecord[]> {
    try {
      for (let at = 0; ; at++) {
        await Promise.resolve()
        yield [record(at, at)]
      }
    } finally {
      closed++
    }
  }
  for await (const chunk of mergeByTime([endless(), endless()])) if (chunk.length > 0) break
  expect(closed).toBe(2)
})
