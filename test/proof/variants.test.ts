import { expect, test } from 'vitest'

import { variantModule } from '../faults/harness/options.ts'
import { runSeeds } from '../faults/harness/run-seeds.ts'
import { variants } from '../faults/harness/variants/catalogue.ts'

// Long enough for the first faults to strike, and for partitions to find other owners.
const seconds = 25
const clients = 16
/** With the start of brokers, and what is waited for after the faults. */
const variantMsMax = 400_000

test.each(variants)(
  'the fault harness finds out $name (seed $caughtBySeed)',
  async ({ name, caughtBySeed }) => {
    const results = await runSeeds({
      seeds: [caughtBySeed],
      clients,
      durationMs: seconds * 1_000,
      preload: variantModule(name),
      onProgress: () => undefined,
    })
    const broken = results.flatMap(({ violations }) => violations.map(({ promise }) => promise))
    process.stdout.write(
      `${name}, seed ${caughtBySeed}: ${[...new Set(broken)].join('; ') || 'not caught'}\n`,
    )
    expect(broken).not.toEqual([])
  },
  variantMsMax,
)
