import { expect, test } from 'vitest'

import { InvalidInputError } from '#domain'

import { parseRequest } from './invalid-request.ts'

test('what the domain finds malformed becomes an invalid request at the same path', () => {
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

test('a fault of our own is not blamed on the request', () => {
  const fault = new TypeError('x is not a function')
  expect(() =>
    parseRequest(() => {
      throw fault
    }),
  ).toThrow(fault)
})
