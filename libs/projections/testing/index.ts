export { type FedDraft, InMemoryFeed, type InMemoryFeedOptions } from './in-memory-feed.ts'
export { type OpenStore, type StoreUnderTest } from './store-under-test.ts'
export { viewStoreContract } from './view-store.contract.ts'
