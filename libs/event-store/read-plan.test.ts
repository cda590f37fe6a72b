import { describe, expect, test } from 'vitest'

import { parseVersion } from '#domain'

import { parseTime, planRead } from './read-plan.ts'

describe('a read plan', () => {
  test('has defaults', () => {
    expect(planRead()).toEqual({
      fromVersion: 1,
      toVersion: Infinity,
      fromMs: -Infinity,
      untilMs: Infinity,
      direction: 'forwards',
      limit: 100,
    })
  })

  test('keeps the given options', () => {
    expect(
      planRead({
        fromVersion: parseVersion(3),
        toVersion: parseVersion(5),
        from: '2026-01-31',
        until: '2026-02-01T00:00:00Z',
        direction: 'backwards',
        limit: 1000,
      }),
    ).toEqual({
      fromVersion: 3,
      toVersion: 5,
      fromMs: Date.UTC(2026, 0, 31),
      untilMs: Date.UTC(2026, 1, 1),
      direction: 'backwards',
      limit: 1000,
    })
  })

  test.each([
    ['limit', { limit: 0 }],
    ['limit', { limit: 1001 }],
    ['fromVersion', { fromVersion: -1 }],
    ['toVersion', { toVersion: 0.5 }],
    ['direction', { direction: 'up' }],
    ['from', { from: 'noon' }],
    ['until', { until: '' }],
  ])('reports a malformed %s', (path, options) => {
    expect(() => planRead(options as Parameters<typeof planRead>[0])).toThrow(
      expect.objectContaining({ code: 'invalid-request', details: { path } }),
    )
  })
})

describe('a time', () => {
  test.each([
    ['2026-01-31', Date.UTC(2026, 0, 31)],
    ['2026-01-31T12:30Z', Date.UTC(2026, 0, 31, 12, 30)],
    ['2026-01-31T12:30:15.250Z', Date.UTC(2026, 0, 31, 12, 30, 15, 250)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['0099-12-31T23:59:59Z', -59_011_459_201_000],
    ['2026-01-31T12:30-05:30', Date.UTC(2026, 0, 31, 18)],
    ['2026-01-31T12:30:15.250999999Z', Date.UTC(2026, 0, 31, 12, 30, 15, 250)],
    ['2026-01-31T12:30:15+02:00', Date.UTC(2026, 0, 31, 10, 30, 15)],
  ])('%s is parsed', (text, ms) => {
    expect(parseTime(text, 'from')).toBe(ms)
  })

  test.each([
    '2026',
    'March 7, 2026',
    '2026-01-31T12:30:15',
    '2026-02-32',
    '2013-02-30',
    '2025-02-29',
    '2013-02-30T12:00:00Z',
    '2026-04-31T12:00+02:00',
    '2026-01-31T24:00Z',
    '2026-01-31T12:60Z',
    '2026-01-31T12:30:60Z',
    '2026-01-31T12:30:15+24:00',
    '2026-01-31T12:30:15+02:60',
    '2026-01-31T12:30:15.1234567890Z',
    '2026-01-31T12:30.5Z',
    '2026-01-31T25:00Z',
    '1769860800000',
  ])('%s is rejected with the expected form', (text) => {
    expect(() => parseTime(text, 'from')).toThrow('is not a time: expected an existing date')
  })
})
