export { eventStoreContract } from './event-store.contract.ts'
export { type StoreUnderTest } from './store-under-test.ts'
