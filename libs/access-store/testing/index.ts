export { accessStoreContract, type StoreUnderTest } from './access-store.contract.ts'
export { keyEntry } from './entries.ts'
