import { expect, test } from 'vitest'

import { InvalidInputError } from '#domain'

import { parseRequest } from './invalid-request.ts'

test('an invalid input of the domain becomes an invalid request with the same path', () => {
  const cause = new InvalidInputError('streamId', 'stream id "x" has no dot')
  const parse = () =>
    parseRequest(() => {
      throw cause
    })
  expect(parse).toThrow(
    expect.objectContaining({
      code: 'invalid-request',
      message: cause.message,
      details: { path: 'streamId' },
      cause,
    }),
  )
})

test('any other error is thrown unchanged', () => {
  const fault = new TypeError('x is not a function')
  expect(() =>
    parseRequest(() => {
      throw fault
    }),
  ).toThrow(fault)
})
