import { expect, test } from 'vitest'

import type { AuditEntry } from './audit-entry.ts'
import { FloodGate, floodLimits } from './flood-gate.ts'

const denial = (name: string | undefined, changes: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ type: 'annals.access.denied', outcome: 'denied', code: 'forbidden', action: 'append' },
  ...{ resource: 'order.42', timeMs: 0, ...(name !== undefined && { principal: { name, kind: 'key' } }) },
  ...changes,
})

const gate = (changes: Partial<typeof floodLimits> = {}) => new FloodGate({ ...floodLimits, ...changes }, 0)

const admitted = (flood: FloodGate, denials: readonly AuditEntry[], nowMs = 0): number =>
  denials.filter((each) => flood.admits(each, nowMs)).length

const times = (count: number, each: AuditEntry) => Array.from({ length: count }, () => each)

test('of a flood the first ten are recorded, and then one entry a minute with their number', () => {
  const flood = gate()
  expect(admitted(flood, times(1_000, denial('ada')))).toBe(10)
  expect(flood.due(59_999)).toEqual([])
  expect(flood.due(60_000)).toEqual([{ ...denial('ada'), count: 990, sinceMs: 0 }])
  expect(flood.due(1e9)).toEqual([])
})

test('a flood of a day leaves less than 30,000 entries', () => {
  const flood = gate()
  let entries = 0
  for (let nowMs = 0; nowMs < 86_400_000; nowMs += 5_000) {
    entries += admitted(flood, times(20, denial('ada', { timeMs: nowMs })), nowMs) + flood.due(nowMs).length
  }
  expect(entries).toBeLessThan(30_000)
})

test('varying the resource does not help; what differs is left out of the entry that stands for all', () => {
  const flood = gate()
  const many = Array.from({ length: 50 }, (_, id) =>
    denial('ada', { resource: `order.${id}`, requestId: `${id}` }),
  )
  expect(admitted(flood, many)).toBe(10)
  const [counted] = flood.due(Infinity)
  expect(counted).toMatchObject({ principal: { name: 'ada' }, action: 'append', count: 40 })
  expect(counted).not.toHaveProperty('resource')
  expect(counted).not.toHaveProperty('requestId')
})

test('principals, actions and codes are counted separately', () => {
  const flood = gate()
  for (const each of [
    denial('ada'),
    denial('bob'),
    denial('ada', { action: 'read' }),
    denial('ada', { code: 'unauthenticated' }),
  ]) {
    expect(admitted(flood, times(20, each))).toBe(10)
  }
  expect(flood.due(Infinity)).toHaveLength(4)
})

test('a flood from many addresses is bounded, and does not hide a principal', () => {
  const flood = gate()
  const strangers = Array.from({ length: 10_000 }, (_, id) =>
    denial(undefined, { remoteAddress: `fd00::${id}` }),
  )
  expect(admitted(flood, strangers)).toBeLessThanOrEqual(500)
  expect(admitted(flood, [denial('ada')])).toBe(1)
  const counted = flood.due(Infinity)
  expect(counted.length).toBeLessThanOrEqual(floodLimits.sendersMax + 1)
  const sum = counted.reduce((total, { count = 0 }) => total + count, 0)
  expect(sum + admitted(gate(), strangers)).toBe(10_000)
})

test('more principals than are counted separately share one entry without a name', () => {
  const flood = gate({ sendersMax: 2 })
  expect(admitted(flood, [denial('a'), denial('b'), denial('c'), denial('d')])).toBe(2)
  const [others] = flood.due(Infinity)
  expect(others?.count).toBe(2)
  expect(others).not.toHaveProperty('principal')
})

test('a sender that has been calm is forgotten', () => {
  const flood = gate({ sendersMax: 1 })
  expect(admitted(flood, [denial('a')])).toBe(1)
  flood.due(3_000)
  expect(admitted(flood, [denial('b')], 3_000)).toBe(0)
  flood.due(600_000)
  expect(admitted(flood, [denial('c')], 600_000)).toBe(1)
})
