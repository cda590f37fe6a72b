import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { AuditRecord } from '#audit'

import { OperationError } from '../operation-error.ts'
import { type AuditFilter, matcherOf } from './audit-filter.ts'
import { resourcePattern, textPattern } from './text-pattern.ts'

const record: AuditRecord = {
  ...{ id: '1', type: 'annals.dead-letters.dropped', time: '2026-11-21T09:00:00.000Z', outcome: 'success' },
  ...{ principal: { name: 'cli:ada@host-1', kind: 'cli' }, resource: 'projection:loans' },
  ...{ service: 'projector', instance: 'p-1' },
}
const at = Date.parse(record.time)

test.each<[AuditFilter, boolean]>([
  [{}, true],
  [{ sinceMs: at }, true],
  [{ sinceMs: at + 1 }, false],
  [{ untilMs: at + 1 }, true],
  [{ untilMs: at }, false],
  [{ principal: 'cli:ada@host-1' }, true],
  [{ principal: 'cli:ada' }, false],
  [{ principal: 'cli:*' }, true],
  [{ principal: '*@host-1' }, true],
  [{ resource: 'projection:loans' }, true],
  [{ resource: 'projection:*' }, true],
  [{ resource: 'order.*' }, false],
  [{ outcome: 'success' }, true],
  [{ outcome: 'denied' }, false],
  [{ types: ['dead-letters.dropped'] }, true],
  [{ types: ['annals.dead-letters.dropped'] }, true],
  [{ types: ['access.denied', 'dead-letters.*'] }, true],
  [{ types: ['access.*'] }, false],
  [{ types: ['*'] }, true],
])('%j matches: %j', (filter, isMatch) => expect(matcherOf(filter)(record)).toBe(isMatch))

test('an entry that stands for several matches a period in which one of them was', () => {
  const several = { ...record, count: 9, since: '2026-11-21T08:00:00.000Z' }
  expect(matcherOf({ untilMs: at - 60_000 })(several)).toBe(true)
  expect(matcherOf({ untilMs: at - 3_600_000 })(several)).toBe(false)
})

test('an entry without principal or resource matches no pattern of them', () => {
  const { id, type, time, outcome, service, instance } = record
  const bare = { id, type, time, outcome, service, instance }
  expect(matcherOf({ principal: '*' })(bare)).toBe(false)
  expect(matcherOf({ resource: '*' })(bare)).toBe(false)
})

test.each(['acess.denied', 'annals.nothing', 'reader.*', ''])('the type %j is refused', (type) => {
  expect(() => matcherOf({ types: [type] })).toThrow(OperationError)
})

test('a mistyped type gets a suggestion', () => {
  expect(() => matcherOf({ types: ['acess.denied'] })).toThrow('did you mean access.denied?')
})

describe('a pattern of resources', () => {
  test.each([
    [
      'order.*',
      ['order.42', 'order.*', 'order.a.b', 'order.a:b'],
      ['orders.42', 'order', 'projection:order.x'],
    ],
    ['order.eu-*', ['order.eu-1'], ['order.us-1', 'order.eu']],
    ['*.*', ['order.42', 'a-b.c'], ['projection:a.b', 'installation']],
    ['projection:*', ['projection:loans'], ['user:loans', 'order.42']],
    ['*', ['order.42', 'projection:loans', 'installation'], []],
    ['order.(4|5)', [], ['order.4']],
  ])('%s', (pattern, matching, others) => {
    const matches = resourcePattern(pattern)
    expect([...matching, ...others].filter(matches)).toEqual(matching)
  })

  test('without * matches only itself, and with * what begins and ends so', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 }).filter((it) => !it.includes('*'))
    fc.assert(
      fc.property(text, text, text, (start, middle, end) => {
        expect(textPattern(start)(middle)).toBe(start === middle)
        expect(textPattern(`${start}*${end}`)(`${start}${middle}${end}`)).toBe(true)
        expect(textPattern(`${start}*`)(middle)).toBe(middle.startsWith(start))
      }),
    )
  })
})
