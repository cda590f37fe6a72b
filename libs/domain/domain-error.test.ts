import { expect, test } from 'vitest'

import { DomainError, refuse } from './domain-error.ts'

test('a refusal is a DomainError with code, message and details', () => {
  expect(() => refuse('order-already-shipped', 'shipped on Monday', { day: 'Monday' })).toThrow(
    expect.objectContaining({
      name: 'DomainError',
      code: 'order-already-shipped',
      message: 'shipped on Monday',
      details: { day: 'Monday' },
    }),
  )
})

test('a DomainError without details has empty ones', () => {
  expect(new DomainError('order-empty', 'nothing in it').details).toEqual({})
})
