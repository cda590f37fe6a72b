export { postgresAsksForLogin } from './asks-for-login.ts'
export { PostgresViewStore } from './postgres-view-store.ts'
