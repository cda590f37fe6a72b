export { snapshotterRoutes } from './http/snapshotter-routes.ts'
export { Snapshotter, type SnapshotterParts } from './snapshotter.ts'
export { openSnapshotter, type SnapshotterService, startSnapshotterService } from './snapshotter-service.ts'
export { snapshotterSettings, type SnapshotterSettings } from './snapshotter-settings.ts'
