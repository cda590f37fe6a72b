export { PostgresViewStore } from './postgres-view-store.ts'
