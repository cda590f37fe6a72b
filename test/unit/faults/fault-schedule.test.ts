import { expect, test } from 'vitest'

import { lanes } from '../../faults/harness/nemesis/lanes.ts'
import { type Lane, type PlannedFault, scheduleOf } from '../../faults/harness/nemesis/schedule.ts'
import { Random } from '../../faults/harness/random.ts'

function planned(lane: Lane, seed: number, count: number): PlannedFault[] {
  const schedule = scheduleOf(lane, seed)
  return Array.from({ length: count }, () => schedule.next().value)
}

test('the same seed gives the same numbers; another seed gives others', () => {
  const numbers = (seed: number) => {
    const random = new Random(seed, 'client', 3)
    return Array.from({ length: 50 }, () => random.next())
  }
  expect(numbers(7)).toEqual(numbers(7))
  expect(numbers(7)).not.toEqual(numbers(8))
  expect(numbers(7).every((number) => number >= 0 && number < 1)).toBe(true)
})

test('every fault has a unique name', () => {
  const names = lanes.flatMap(({ faults }) => faults.map(({ name }) => name))
  expect(new Set(names).size).toBe(names.length)
})

for (const lane of lanes) {
  test(`${lane.name}: the same seed gives the same schedule; another seed gives another`, () => {
    expect(planned(lane, 7, 40)).toEqual(planned(lane, 7, 40))
    expect(planned(lane, 7, 40)).not.toEqual(planned(lane, 8, 40))
  })

  // On average every seed includes a fault about once. Faults that only some seeds allow are proportionally rarer.
  const isRare = (name: string) =>
    lane.faults.some((fault) => fault.name === name && fault.isPossible !== undefined)
  const countsIn = (seeds: number) => {
    const counts = new Map(lane.faults.map(({ name }) => [name, 0]))
    for (let seed = 201; seed <= 200 + seeds; seed++) {
      for (const { fault } of planned(lane, seed, lane.perSeed - 1))
        counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1)
    }
    return [...counts]
  }

  test(`${lane.name}: forty seeds include every fault several times, a hundred include it often`, () => {
    expect(countsIn(40).filter(([name, count]) => count < (isRare(name) ? 2 : 4))).toEqual([])
    expect(countsIn(100).filter(([name, count]) => count < (isRare(name) ? 8 : 12))).toEqual([])
  })
}
