import { expect, test } from 'vitest'

import { lanes } from '../faults/harness/nemesis/lanes.ts'
import { type Lane, type PlannedFault, scheduleOf } from '../faults/harness/nemesis/schedule.ts'
import { Random } from '../faults/harness/random.ts'

function planned(lane: Lane, seed: number, count: number): PlannedFault[] {
  const schedule = scheduleOf(lane, seed)
  return Array.from({ length: count }, () => schedule.next().value)
}

test('the same seed gives the same numbers, another one others', () => {
  const numbers = (seed: number) => {
    const random = new Random(seed, 'client', 3)
    return Array.from({ length: 50 }, () => random.next())
  }
  expect(numbers(7)).toEqual(numbers(7))
  expect(numbers(7)).not.toEqual(numbers(8))
  expect(numbers(7).every((number) => number >= 0 && number < 1)).toBe(true)
})

test('every fault has a name of its own', () => {
  const names = lanes.flatMap(({ faults }) => faults.map(({ name }) => name))
  expect(new Set(names).size).toBe(names.length)
})

for (const lane of lanes) {
  test(`${lane.name}: the same seed gives the same schedule, another one another`, () => {
    expect(planned(lane, 7, 40)).toEqual(planned(lane, 7, 40))
    expect(planned(lane, 7, 40)).not.toEqual(planned(lane, 8, 40))
  })

  test(`${lane.name}: a hundred seeds bring every fault at least twenty times, also where each is one short`, () => {
    const counts = new Map(lane.faults.map(({ name }) => [name, 0]))
    for (let seed = 1; seed <= 100; seed++) {
      for (const { fault } of planned(lane, seed, lane.perSeed - 1))
        counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1)
    }
    expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(20)
  })
}
