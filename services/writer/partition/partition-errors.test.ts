import { expect, test } from 'vitest'

import { EventStoreError } from '#event-store'
import { LogError } from '#kafka'
import { IndexUnavailableError } from '#redis-index'

import { readError } from './partition-errors.ts'

test('a read that fails because Kafka or Redis is unavailable may be retried; other errors are unchanged', () => {
  for (const error of [new LogError('unavailable', 'no broker'), new IndexUnavailableError('no Redis')]) {
    expect(readError(error)).toMatchObject({ code: 'unavailable', retry: 'same-ids', message: error.message })
  }
  for (const error of [
    new EventStoreError('not-owner', 'x'),
    new LogError('not-there', 'x'),
    new Error('x'),
  ]) {
    expect(readError(error)).toBe(error)
  }
})
