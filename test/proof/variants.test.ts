import { expect, test } from 'vitest'

import { variantModule } from '../faults/harness/options.ts'
import { runSeeds } from '../faults/harness/run-seeds.ts'
import { variants } from '../faults/harness/variants/catalogue.ts'

// Long enough for the first faults, and for partitions to get other owners.
const seconds = 25
const clients = 16
/** The faults of a seed are fixed, but the operations at that moment are not. So the seed gets a few attempts. */
const triesMax = 4
/** Including the start of brokers, and the waits after the faults. */
const variantMsMax = 600_000

test.each(variants)(
  'the fault harness detects $name (seed $caughtBySeed)',
  async ({ name, caughtBySeed }) => {
    const results = await runSeeds({
      seeds: Array.from({ length: triesMax }, () => caughtBySeed),
      clients,
      durationMs: seconds * 1_000,
      preload: variantModule(name),
      isEnough: ({ violations }) => violations.length > 0,
      onProgress: () => undefined,
    })
    const broken = new Set(results.flatMap(({ violations }) => violations.map(({ promise }) => promise)))
    const verdict =
      broken.size === 0 ? 'not caught' : `caught by attempt ${results.length}: ${[...broken].join('; ')}`
    process.stdout.write(`${name}, seed ${caughtBySeed}: ${verdict}\n`)
    expect([...broken]).not.toEqual([])
  },
  variantMsMax,
)
