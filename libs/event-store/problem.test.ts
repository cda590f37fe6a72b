import { describe, expect, test } from 'vitest'

import { newEventId, parseVersion } from '#domain'

import { type ErrorCode, errorTable, EventStoreError } from './errors.ts'
import { fromProblem, toProblem } from './problem.ts'

describe('a problem document', () => {
  test.each(Object.keys(errorTable) as ErrorCode[])('of %s is decoded to the same error', (code) => {
    const error = new EventStoreError(code, 'what, where, what to do', {
      path: 'events[0].data.amount',
      expected: 'no-stream',
      actual: parseVersion(3),
      known: [newEventId()],
      retryAfterSeconds: 2,
    })
    const problem = toProblem(error)
    expect(problem).toMatchObject({
      type: `urn:annals:problem:${code}`,
      status: errorTable[code].httpStatus,
      retry: errorTable[code].retry,
    })
    const back = fromProblem(problem.status, JSON.parse(JSON.stringify(problem)))
    expect(back).toMatchObject({ code, message: error.message, details: error.details })
  })

  test.each<[number, ErrorCode]>([
    [400, 'invalid-request'],
    [401, 'unauthenticated'],
    [403, 'forbidden'],
    [404, 'invalid-request'],
    [408, 'outcome-unknown'],
    [413, 'append-too-large'],
    [429, 'limit-exceeded'],
    [500, 'internal'],
    [502, 'outcome-unknown'],
    [503, 'unavailable'],
    [504, 'outcome-unknown'],
  ])('is missing: status %i means %s', (status, code) => {
    for (const body of [undefined, null, 'Bad Gateway', {}, { code: 'toString' }]) {
      expect(fromProblem(status, body).code).toBe(code)
    }
  })
})
