export { snapshotterRoutes } from './http/snapshotter-routes.ts'
export { openSnapshotter, type SnapshotterService, startSnapshotterService } from './snapshotter-service.ts'
