import { expect, test } from 'vitest'

import { EventStoreError } from '#event-store'

import { ProjectionError, type ProjectionErrorCode } from './errors.ts'

test.each<[ProjectionErrorCode, number, string]>([
  ['projection-not-found', 404, 'never'],
  ['generation-not-found', 404, 'never'],
  ['view-not-found', 404, 'never'],
  ['projection-behind', 503, 'same-ids'],
  ['log-replaced', 503, 'never'],
  ['events-deleted', 410, 'never'],
  ['overloaded', 503, 'same-ids'],
  ['unavailable', 503, 'same-ids'],
])('%s has status %i and retry %s from the error table', (code, httpStatus, retry) => {
  const cause = new Error('away')
  const error = new ProjectionError(code, 'why', { retryAfterSeconds: 1 }, { cause })
  expect(error).toMatchObject({ name: 'ProjectionError', message: 'why', code, httpStatus, retry, cause })
  expect(error.details).toEqual({ retryAfterSeconds: 1 })
  expect(error).toBeInstanceOf(EventStoreError)
})
