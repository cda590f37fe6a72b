import { expect, test } from 'vitest'

import { variantModule } from '../faults/harness/options.ts'
import { runSeeds } from '../faults/harness/run-seeds.ts'
import { variants } from '../faults/harness/variants/catalogue.ts'

// Long enough for the first faults to strike, and for partitions to find other owners.
const seconds = 25
const clients = 16
/** What a seed strikes is fixed; what is under way at that moment is not. So the seed may be given a few chances. */
const triesMax = 4
/** With the start of brokers, and what is waited for after the faults. */
const variantMsMax = 600_000

test.each(variants)(
  'the fault harness finds out $name (seed $caughtBySeed)',
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
      broken.size === 0 ? 'not caught' : `caught by try ${results.length}: ${[...broken].join('; ')}`
    process.stdout.write(`${name}, seed ${caughtBySeed}: ${verdict}\n`)
    expect([...broken]).not.toEqual([])
  },
  variantMsMax,
)
