import fc from 'fast-check'
import { expect, test } from 'vitest'

import { noVersion } from '#domain'

import type { StoredEvent } from '#event-log/records'
import { bytesOf, HistorySteps } from './history-steps.ts'

const events = (count: number, bytes: number): StoredEvent[] =>
  Array.from({ length: count }, () => ({ value: { length: bytes } }) as unknown as StoredEvent)

/** All steps of a plan if every event has this size. */
function rangesOf(
  plan: ConstructorParameters<typeof HistorySteps>[0],
  version: number,
  wanted: number,
  bytes: number,
) {
  const steps = new HistorySteps(plan, version, wanted)
  const ranges: (readonly [number, number])[] = []
  for (let range = steps.take(); range !== undefined; range = steps.take()) {
    ranges.push(range)
    steps.learn(events(range[1] - range[0] + 1, bytes))
  }
  return ranges
}

test('small events need few steps, large ones many', () => {
  const all = { fromVersion: 1, toVersion: Infinity, direction: 'forwards' } as const
  expect(rangesOf(all, 1_500, 1_001, 200)).toEqual([
    [1, 20],
    [21, 1_020],
    [1_021, 1_500],
  ])
  expect(rangesOf(all, 25, 1_001, 512 << 10)).toEqual([
    [1, 20],
    [21, 22],
    [23, 24],
    [25, 25],
  ])
  expect(rangesOf(all, 23, 1_001, 8 << 20).slice(1)).toEqual([
    [21, 21],
    [22, 22],
    [23, 23],
  ])
})

test('an empty stream and a plan beyond its end have no steps', () => {
  expect(rangesOf({ fromVersion: 1, toVersion: Infinity, direction: 'forwards' }, noVersion, 10, 1)).toEqual(
    [],
  )
  expect(rangesOf({ fromVersion: 8, toVersion: Infinity, direction: 'backwards' }, 7, 10, 1)).toEqual([])
})

test('each version of the plan is in one step, in the order of the plan, and steps are bounded', () => {
  const somePlan = fc.record({
    fromVersion: fc.integer({ min: 1, max: 40 }),
    toVersion: fc.oneof(fc.integer({ min: 1, max: 900 }), fc.constant(Infinity)),
    direction: fc.constantFrom('forwards' as const, 'backwards' as const),
  })
  const sizes = [
    fc.nat(900),
    fc.integer({ min: 1, max: 2_000 }),
    fc.integer({ min: 0, max: 1 << 20 }),
  ] as const
  fc.assert(
    fc.property(somePlan, ...sizes, (plan, version, wanted, bytes) => {
      const seen = rangesOf(plan, version, wanted, bytes).flatMap(([from, to]) => {
        expect(to - from + 1).toBeLessThanOrEqual(Math.max(20, Math.ceil((1 << 20) / Math.max(1, bytes))))
        const versions = Array.from({ length: to - from + 1 }, (_, n) => from + n)
        return plan.direction === 'forwards' ? versions : versions.reverse()
      })
      const last = Math.min(plan.toVersion, version)
      const count = Math.max(0, last - plan.fromVersion + 1)
      const expected = Array.from({ length: count }, (_, n) => plan.fromVersion + n)
      expect(seen).toEqual(plan.direction === 'forwards' ? expected : expected.reverse())
    }),
    { numRuns: 200 },
  )
})

test('counts the bytes of the values', () => {
  expect(bytesOf(events(3, 7))).toBe(21)
})
