import { runService } from '#service'

import { startWriterService } from './writer-service.ts'

await runService('writer', startWriterService)
