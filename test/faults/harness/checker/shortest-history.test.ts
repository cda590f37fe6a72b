import { expect, test } from 'vitest'

import type { Operation } from '../history.ts'
import { shortestHistory } from './shortest-history.ts'

const operations = Array.from({ length: 1_000 }, (_, op): Operation => ({
  ...{ op, client: 0, calledAtMs: op, endedAtMs: op, kind: 'state', streamId: 'customer.1' },
  outcome: { is: 'unknown', code: 'unavailable' },
}))
const numbers = (left: readonly Operation[]) => left.map(({ op }) => op)

test('leaves only the operations that are needed', () => {
  const needed = [17, 18, 900]
  const shows = (left: readonly Operation[]) => needed.every((op) => left.some((each) => each.op === op))
  expect(numbers(shortestHistory(operations, shows))).toEqual(needed)
})

test('leaves none if the remaining state alone shows it', () => {
  expect(shortestHistory(operations, () => true)).toEqual([])
})

test('evaluates a bounded number of times, and keeps what shows it', () => {
  let asked = 0
  const shows = (left: readonly Operation[]) => {
    asked++
    return left.filter(({ op }) => op % 2 === 0).length === 500
  }
  expect(shows(shortestHistory(operations, shows))).toBe(true)
  expect(asked).toBeLessThan(410)
})
