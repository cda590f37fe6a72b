import { beforeAll, expect, test } from 'vitest'

import { provideModelTools } from '../../scripts/stack/index.ts'
import { modelRuns } from '../model/runs.ts'
import { runModel } from '../model/spin.ts'

const searchMsMax = 600_000

beforeAll(() => provideModelTools(() => undefined), 300_000)

test.each(modelRuns.filter(({ isLong = false }) => isLong))(
  'in the formal model all promises hold: $name',
  async (run) => expect(await runModel(run)).not.toHaveProperty('violated'),
  searchMsMax,
)
