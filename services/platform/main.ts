import { runService } from '#service'

import { startPlatform } from './platform.ts'

await runService('platform', startPlatform)
