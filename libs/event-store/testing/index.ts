export { eventStoreContract } from './event-store.contract.ts'
export { purchaseMade, type StoreUnderTest } from './store-under-test.ts'
