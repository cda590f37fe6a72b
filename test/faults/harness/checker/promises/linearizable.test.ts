import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { Operation } from '../../history.ts'
import { Evidence } from '../evidence.ts'
import { shortHistories } from '../testing/good-history.ts'
import { isLinearizable } from '../testing/is-linearizable.ts'
import { linearizable } from './linearizable.ts'

const number = fc.nat(6)

/** Changes that make about half of the histories impossible. */
const change = fc.record({
  which: fc.nat(10),
  fromMs: fc.integer({ min: -20, max: 60 }),
  lastsMs: fc.integer({ min: 0, max: 80 }),
  version: number,
  what: fc.constantFrom('time' as const, 'version' as const),
})
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never

function changed(operation: Operation, { what, fromMs, lastsMs, version }: Change): Operation {
  if (what === 'time') {
    return { ...operation, calledAtMs: fromMs + 30, endedAtMs: fromMs + 30 + lastsMs }
  }
  if (operation.kind === 'state' && operation.outcome.is === 'answered') {
    return { ...operation, outcome: { ...operation.outcome, version } }
  }
  if (operation.kind !== 'append') return operation
  if (operation.outcome.is === 'refused') {
    return { ...operation, outcome: { ...operation.outcome, actualVersion: version } }
  }
  return { ...operation, expectedVersion: version }
}

test('finds moments exactly when a search through all orders finds an order', () => {
  const verdicts = { possible: 0, impossible: 0 }
  fc.assert(
    fc.property(shortHistories, fc.array(change, { maxLength: 3 }), ({ history, remains }, changes) => {
      const operations = history
        .map((operation, index) =>
          changes
            .filter(({ which }) => which % history.length === index)
            .reduce<Operation>((before, each) => changed(before, each), operation),
        )
        .filter((operation) => operation.kind !== 'view')
      const isPossible = isLinearizable(operations, remains.log)
      verdicts[isPossible ? 'possible' : 'impossible']++
      const found = [...linearizable.broken(new Evidence(operations, remains))]
      expect(found.length === 0).toBe(isPossible)
    }),
    { numRuns: 3_000 },
  )
  expect(Math.min(verdicts.possible, verdicts.impossible)).toBeGreaterThan(200)
})
