export { type PostgresSettings } from './postgres-settings.ts'
export { PostgresViewStore } from './postgres-view-store.ts'
