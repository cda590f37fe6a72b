import { expect, test } from 'vitest'

import { OperationError, type OperationErrorCode, operationErrors, problemsKeptMax } from '#operations'

import { errorsMaxLimit } from './commands/import.ts'
import { failureOf, withRightsAdvice } from './failure.ts'

const exitCodes = { 'correct-request': 2, 'change-state': 1, retry: 3 } as const

test.each(Object.entries(operationErrors))('a failed operation: %s (%s)', (code, remedy) => {
  const failure = failureOf(new OperationError(code as OperationErrorCode, 'why'))
  const printed = code === 'invalid-request' ? 'usage' : code
  expect(failure).toEqual({ exitCode: exitCodes[remedy], code: printed, message: 'why' })
})

test('a subclass of OperationError is recognised', () => {
  class OwnError extends OperationError {}
  expect(failureOf(new OwnError('damaged', 'why'))).toMatchObject({ exitCode: 1, code: 'damaged' })
})

test('advice on rights is added only to an error about missing rights', () => {
  const error = new OperationError('damaged', 'why')
  expect(withRightsAdvice(error, 'see there')).toBe(error)
  const denied = Object.assign(new Error('reading failed: GROUP_AUTHORIZATION_FAILED'), {
    ...{ name: 'LogError', outcome: 'refused', kafkaCode: 'GROUP_AUTHORIZATION_FAILED' },
  })
  expect(failureOf(withRightsAdvice(denied, 'see there'))).toMatchObject({
    message: 'reading failed: GROUP_AUTHORIZATION_FAILED. see there',
  })
})

test('the maximum of --errors-max is the number of problems that an import keeps', () => {
  expect(errorsMaxLimit).toBe(problemsKeptMax)
})
