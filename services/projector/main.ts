import { runService } from '#service'

import { startProjectorService } from './projector-service.ts'

await runService('projector', startProjectorService)
