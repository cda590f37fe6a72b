import { afterAll, beforeAll, describe } from 'vitest'

import { generationsContract } from './generations/generations.contract.ts'
import { outboxContract } from './outbox/outbox.contract.ts'
import { parkedContract } from './parked/parked.contract.ts'
import { storeConcurrencyContract } from './store/concurrency.contract.ts'
import { modelContract, type ModelSettings } from './store/model.contract.ts'
import { TestClock } from './test-clock.ts'
import { type OpenViewStore, ViewStoreSubject, type ViewStoreUnderTest } from './view-store-under-test.ts'
import { viewsContract } from './views/views.contract.ts'

/**
 * The suite that every view store passes, in memory or on a server: one part for each port, and one for all ports together.
 * Call it at the top of a test file: `viewStoreContract('in memory', ({ now }) => ({ store: new InMemoryViewStore({ now }) }))`.
 * @param open runs once, before the first test.
 * @param settings of the comparison with the store in memory under random commands.
 */
export function viewStoreContract(
  name: string,
  open: OpenViewStore,
  { modelRuns = 50, commandsMax = 40 }: Partial<ModelSettings> = {},
): void {
  describe(`view store contract: ${name}`, () => {
    let given: ViewStoreUnderTest | undefined
    let subject: ViewStoreSubject | undefined
    const subjectNow = (): ViewStoreSubject => {
      if (subject === undefined) throw new Error('the store is not open yet')
      return subject
    }
    beforeAll(async () => {
      const clock = new TestClock()
      given = await open({ now: clock.now })
      subject = new ViewStoreSubject(given, clock)
    })
    afterAll(async () => {
      if (given?.teardown !== undefined) await given.teardown()
      else await given?.store.close()
    })

    describe('generations', () => generationsContract(subjectNow))
    describe('views', () => viewsContract(subjectNow))
    describe('outbox', () => outboxContract(subjectNow))
    describe('parked events', () => parkedContract(subjectNow))
    describe('all ports together', () => {
      storeConcurrencyContract(subjectNow)
      modelContract(subjectNow, { modelRuns, commandsMax })
    })
  })
}
