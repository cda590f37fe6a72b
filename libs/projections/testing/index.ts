export { type OpenStore, type StoreUnderTest } from './store-under-test.ts'
export { viewStoreContract } from './view-store.contract.ts'
