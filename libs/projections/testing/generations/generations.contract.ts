import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { discardContract } from './discard.contract.ts'
import { lifecycleContract } from './lifecycle.contract.ts'
import { stopsContract } from './stops.contract.ts'
import { switchContract } from './switch.contract.ts'

/** What the port {@link Generations} promises. */
export function generationsContract(subject: () => ViewStoreSubject): void {
  lifecycleContract(subject)
  switchContract(subject)
  discardContract(subject)
  stopsContract(subject)
}
