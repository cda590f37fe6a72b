import { beforeAll, describe, expect, test } from 'vitest'

import { provideModelTools } from '../../../scripts/stack/index.ts'
import { modelRuns } from '../../model/runs.ts'
import { runModel } from '../../model/spin.ts'

const searchMsMax = 600_000

beforeAll(() => provideModelTools(() => undefined), 300_000)

describe('in the formal model', () => {
  test.each(modelRuns.filter(({ broken, isLong = false }) => broken === undefined && !isLong))(
    'all promises hold: $name',
    async (run) => expect(await runModel(run)).not.toHaveProperty('violated'),
    searchMsMax,
  )

  test.each(modelRuns.filter(({ broken }) => broken !== undefined))(
    'a promise is broken: $name',
    async (run) => expect(await runModel(run)).toHaveProperty('violated'),
    searchMsMax,
  )
})
