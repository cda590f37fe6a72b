import { runService } from '#service'

import { startSnapshotterService } from './snapshotter-service.ts'

await runService('snapshotter', startSnapshotterService)
