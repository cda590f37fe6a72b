import { expect, test } from 'vitest'

import { faults } from '../faults/harness/nemesis/nemesis.ts'
import { scheduleOf, type Step } from '../faults/harness/nemesis/schedule.ts'
import { Random } from '../faults/harness/random.ts'

function firstSteps(seed: number, count: number): Step[] {
  const steps: Step[] = []
  for (const step of scheduleOf(faults, seed)) {
    if (steps.length === count) break
    steps.push(step)
  }
  return steps
}

/** The first faults that seeds bring, so many of each. */
const dealt = (seeds: number, each: number): string[] =>
  Array.from({ length: seeds }, (_, index) =>
    firstSteps(index + 1, each)
      .flatMap((step) => step.faults.map(({ fault }) => fault.name))
      .slice(0, each),
  ).flat()

test('the same seed gives the same numbers, another one others', () => {
  const numbers = (seed: number) => {
    const random = new Random(seed, 'client', 3)
    return Array.from({ length: 50 }, () => random.next())
  }
  expect(numbers(7)).toEqual(numbers(7))
  expect(numbers(7)).not.toEqual(numbers(8))
  expect(numbers(7).every((number) => number >= 0 && number < 1)).toBe(true)
})

test('the same seed gives the same schedule, another one another', () => {
  expect(firstSteps(7, 40)).toEqual(firstSteps(7, 40))
  expect(firstSteps(7, 40)).not.toEqual(firstSteps(8, 40))
})

test('two at a time never strike on the same ground', () => {
  for (const { faults: struck } of Array.from({ length: 50 }, (_, seed) => firstSteps(seed, 30)).flat()) {
    expect(new Set(struck.map(({ fault }) => fault.ground)).size).toBe(struck.length)
  }
})

test('a hundred seeds bring every fault at least twenty times', () => {
  const counts = Map.groupBy(dealt(100, 14), (name) => name)
  expect(counts.size).toBe(new Set(faults.map(({ name }) => name)).size)
  expect(Math.min(...[...counts.values()].map((all) => all.length))).toBeGreaterThanOrEqual(20)
})
