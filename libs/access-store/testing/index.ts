export { accessStoreContract } from './access-store.contract.ts'
export { keyEntry } from './entries.ts'
