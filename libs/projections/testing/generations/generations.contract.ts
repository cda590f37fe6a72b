import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { discardContract } from './discard.contract.ts'
import { lifecycleContract } from './lifecycle.contract.ts'
import { stopsContract } from './stops.contract.ts'
import { switchContract } from './switch.contract.ts'

/** The contract of the port {@link Generations}. */
export function generationsContract(subject: () => ViewStoreSubject): void {
  lifecycleContract(subject)
  switchContract(subject)
  discardContract(subject)
  stopsContract(subject)
}
