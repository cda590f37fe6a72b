import { afterAll, beforeAll, describe } from 'vitest'

import { appendContract } from './append.contract.ts'
import { concurrencyContract } from './concurrency.contract.ts'
import { idempotencyContract } from './idempotency.contract.ts'
import { invalidInputContract } from './invalid-input.contract.ts'
import { loadContract } from './load.contract.ts'
import { readContract } from './read.contract.ts'
import { readByTimeContract } from './read-by-time.contract.ts'
import { type StoreUnderTest, type Subject, subjectOf } from './store-under-test.ts'

/**
 * Defines the test suite that every event store passes. Call it at the top level of a test file:
 * `eventStoreContract('in memory', () => ({ store: new InMemoryEventStore() }))`.
 * @param setup runs once before the first test. The `teardown` of its result runs after the last test.
 */
export function eventStoreContract(
  name: string,
  setup: () => StoreUnderTest | Promise<StoreUnderTest>,
): void {
  describe(`event store contract: ${name}`, () => {
    let given: StoreUnderTest | undefined
    let subject: Subject | undefined
    const subjectNow = (): Subject => {
      if (subject === undefined) throw new Error('the store is used before its setup')
      return subject
    }
    beforeAll(async () => {
      given = await setup()
      subject = subjectOf(given)
    })
    afterAll(() => given?.teardown?.())

    appendContract(subjectNow)
    idempotencyContract(subjectNow)
    concurrencyContract(subjectNow)
    readContract(subjectNow)
    readByTimeContract(subjectNow)
    loadContract(subjectNow)
    invalidInputContract(subjectNow)
  })
}
