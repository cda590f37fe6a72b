import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { commitContract } from './commit.contract.ts'
import { dataContract } from './data.contract.ts'
import { expiryContract } from './expiry.contract.ts'
import { lookupContract } from './lookup.contract.ts'
import { pagesContract } from './pages.contract.ts'

/** What the port {@link Views} promises. */
export function viewsContract(subject: () => ViewStoreSubject): void {
  commitContract(subject)
  lookupContract(subject)
  pagesContract(subject)
  expiryContract(subject)
  dataContract(subject)
}
