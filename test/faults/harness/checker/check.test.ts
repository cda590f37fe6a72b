import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { check } from './check.ts'
import { promises } from './promises/index.ts'
import { answerMutations } from './testing/answer-mutations.ts'
import { derivedMutations } from './testing/derived-mutations.ts'
import { goodHistories } from './testing/good-history.ts'
import { logMutations } from './testing/log-mutations.ts'
import { strayMutations } from './testing/stray-mutations.ts'

const mutations = [...logMutations, ...answerMutations, ...derivedMutations, ...strayMutations]

test('a history that keeps every promise has no violations', () => {
  fc.assert(
    fc.property(goodHistories, ({ history, remains }) => {
      expect(check(history, remains)).toEqual([])
    }),
    { numRuns: 500 },
  )
})

describe.each(mutations)('where $name', ({ promise, mutate }) => {
  test(`the checker reports the broken promise: ${promise}`, () => {
    let broken = 0
    fc.assert(
      fc.property(goodHistories, fc.nat(), (good, seed) => {
        const mutated = mutate(good, (from) => from[seed % Math.max(1, from.length)])
        if (mutated === undefined) return
        broken++
        const found = check(mutated.history, mutated.remains).map((violation) => violation.promise)
        expect(found).toContain(promise)
      }),
      { numRuns: 300 },
    )
    expect(broken, 'histories that this mutation applies to').toBeGreaterThan(10)
  })
})

test('each promise has a test that breaks it', () => {
  expect([...new Set(mutations.map(({ promise }) => promise))].sort()).toEqual(
    promises.map(({ name }) => name).sort(),
  )
})
