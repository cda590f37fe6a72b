import { expect, test } from 'vitest'

import { sampleOf } from './sample.ts'

const streams = Array.from({ length: 20_000 }, (_, index) => `customer.c-${index}`)
const taken = (size: number, seed: string) => {
  const sample = sampleOf(size, streams.length, seed)
  return new Set(streams.filter((streamId) => sample.has(streamId)))
}

test('a sample has about the requested number of streams', () => {
  for (const size of [100, 1_000, 10_000]) {
    expect(taken(size, 'a').size).toBeGreaterThan(size * 0.8)
    expect(taken(size, 'a').size).toBeLessThan(size * 1.2)
  }
})

test('the same seed gives the same sample, another seed another one', () => {
  expect(taken(1_000, 'monday')).toEqual(taken(1_000, 'monday'))
  const tuesday = taken(1_000, 'tuesday')
  const both = [...taken(1_000, 'monday')].filter((streamId) => tuesday.has(streamId))
  expect(both.length).toBeLessThan(120)
})

test('a sample of more streams than exist contains all', () => {
  expect(sampleOf(1_000, 10, '').fraction).toBe(1)
  expect(taken(1_000_000, '').size).toBe(streams.length)
})
