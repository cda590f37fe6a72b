export { RedisViewStore } from './redis-view-store.ts'
