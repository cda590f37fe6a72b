import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { commitContract } from './commit.contract.ts'
import { dataContract } from './data.contract.ts'
import { expiryContract } from './expiry.contract.ts'
import { lookupContract } from './lookup.contract.ts'
import { pagesContract } from './pages.contract.ts'

/** The contract of the port {@link Views}. */
export function viewsContract(subject: () => ViewStoreSubject): void {
  commitContract(subject)
  lookupContract(subject)
  pagesContract(subject)
  expiryContract(subject)
  dataContract(subject)
}
