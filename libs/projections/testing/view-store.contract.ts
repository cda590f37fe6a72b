import { afterAll, beforeAll, describe } from 'vitest'

import { commitContract } from './commit.contract.ts'
import { concurrencyContract } from './concurrency.contract.ts'
import { dataContract } from './data.contract.ts'
import { discardContract } from './discard.contract.ts'
import { expiryContract } from './expiry.contract.ts'
import { generationsContract } from './generations.contract.ts'
import { lookupContract } from './lookup.contract.ts'
import { modelContract, type ModelSettings } from './model.contract.ts'
import { pagesContract } from './pages.contract.ts'
import { parkedContract } from './parked.contract.ts'
import { stopsContract } from './stops.contract.ts'
import { type OpenStore, type StoreUnderTest, Subject } from './store-under-test.ts'
import { switchContract } from './switch.contract.ts'
import { TestClock } from './test-clock.ts'
import { unpublishedContract } from './unpublished.contract.ts'

/**
 * The suite that every store of views passes, in memory or on a server. Call it at the top of a test file:
 * `viewStoreContract('in memory', ({ now }) => ({ store: new InMemoryViewStore({ now }) }))`.
 * @param open runs once, before the first test.
 * @param settings of the comparison with the store in memory by random commands.
 */
export function viewStoreContract(
  name: string,
  open: OpenStore,
  { modelRuns = 50, commandsMax = 40 }: Partial<ModelSettings> = {},
): void {
  describe(`view store contract: ${name}`, () => {
    let given: StoreUnderTest | undefined
    let subject: Subject | undefined
    const subjectNow = (): Subject => {
      if (subject === undefined) throw new Error('the store is used before it is open')
      return subject
    }
    beforeAll(async () => {
      const clock = new TestClock()
      given = await open({ now: clock.now })
      subject = new Subject(given, clock)
    })
    afterAll(async () => {
      if (given?.teardown !== undefined) await given.teardown()
      else await given?.store.close()
    })

    generationsContract(subjectNow)
    switchContract(subjectNow)
    discardContract(subjectNow)
    commitContract(subjectNow)
    lookupContract(subjectNow)
    pagesContract(subjectNow)
    unpublishedContract(subjectNow)
    expiryContract(subjectNow)
    parkedContract(subjectNow)
    stopsContract(subjectNow)
    dataContract(subjectNow)
    concurrencyContract(subjectNow)
    modelContract(subjectNow, { modelRuns, commandsMax })
  })
}
