import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { type ErrorCode, errorTable, EventStoreError, type Retry } from './errors.ts'

/** The table written by hand again, to detect mistakes in either. */
const expected: Record<ErrorCode, [number, Retry]> = {
  'invalid-request': [400, 'never'],
  'invalid-event': [422, 'never'],
  'unknown-event-type': [422, 'never'],
  'append-too-large': [413, 'never'],
  'invalid-state': [422, 'never'],
  'stream-not-found': [404, 'never'],
  'version-not-found': [404, 'never'],
  'category-not-found': [404, 'never'],
  'projection-not-found': [404, 'never'],
  'generation-not-found': [404, 'never'],
  'view-not-found': [404, 'never'],
  'projection-behind': [503, 'same-ids'],
  'wrong-expected-version': [409, 'reload'],
  'partial-duplicate': [409, 'never'],
  overloaded: [503, 'same-ids'],
  unavailable: [503, 'same-ids'],
  'not-owner': [503, 'same-ids'],
  'log-replaced': [503, 'never'],
  'events-deleted': [410, 'never'],
  'outcome-unknown': [504, 'same-ids'],
  unauthenticated: [401, 'never'],
  forbidden: [403, 'never'],
  'limit-exceeded': [429, 'same-ids'],
  internal: [500, 'never'],
}
const codes = Object.keys(errorTable) as ErrorCode[]

test.each(codes)('%s has its status and retry', (code) => {
  const error = new EventStoreError(code, 'what happened')
  expect([error.httpStatus, error.retry]).toEqual(expected[code])
})

test('no two errors have the same title', () => {
  expect(new Set(codes.map((code) => errorTable[code].title)).size).toBe(codes.length)
})

test('an error carries its code, message, details and cause', () => {
  const cause = new Error('connection reset')
  const error = new EventStoreError('overloaded', 'the queue is full', { retryAfterSeconds: 1 }, { cause })
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({
    name: 'EventStoreError',
    code: 'overloaded',
    message: 'the queue is full',
    details: { retryAfterSeconds: 1 },
    cause,
  })
  expect(new EventStoreError('internal', 'a bug').details).toEqual({})
})

describe('docs/guide/errors.md', () => {
  const guide = readFileSync(new URL('../../docs/guide/errors.md', import.meta.url), 'utf8')
  const rows = guide
    .split('\n')
    .filter((line) => /^\| `[a-z-]+` +\| \d{3} /.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )

  test('has a row for every error, equal to the table', () => {
    const table = codes.map((code) => {
      const { httpStatus, retry, title } = errorTable[code]
      return [`\`${code}\``, String(httpStatus), `\`${retry}\``, title]
    })
    expect(rows).toEqual(table)
  })
})
