import { expect, test } from 'vitest'

import { OperationError, type OperationErrorCode, operationErrors, problemsKeptMax } from '#operations'

import { errorsMaxLimit } from './commands/import.ts'
import { failureOf } from './failure.ts'

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

test('the maximum of --errors-max is the number of problems that an import keeps', () => {
  expect(errorsMaxLimit).toBe(problemsKeptMax)
})
