import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Servers } from './cluster/servers.ts'
import { isPassed } from './report/seed-report.ts'
import { runSeed } from './run-seed.ts'
import type { SeedResult } from './seed-result.ts'

export interface RunSeedsOptions {
  readonly seeds: readonly number[]
  readonly durationMs: number
  readonly clients: number
  readonly preload?: string | undefined
  /** Whether the folders of seeds that passed are kept, too. */
  readonly keep?: boolean
  /** Told when the servers are up, and after each seed. */
  readonly onProgress: (event: Progress) => void
}

export type Progress =
  | { readonly is: 'servers'; readonly folder: string }
  | { readonly is: 'seed'; readonly result: SeedResult; readonly folder: string }

/** Runs one seed after the other on the same servers; servers that a seed does not leave well are replaced. */
export async function runSeeds(options: RunSeedsOptions): Promise<readonly SeedResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'annals-faults-'))
  const results: SeedResult[] = []
  let servers: Servers | undefined
  let generation = 0
  try {
    for (const seed of options.seeds) {
      if (servers === undefined) {
        servers = await Servers.start(join(folder, `servers-${++generation}`))
        options.onProgress({ is: 'servers', folder })
      }
      const seedFolder = join(folder, `seed-${seed}`)
      const { durationMs, clients, preload } = options
      const result = await runSeed(servers, { seed, durationMs, clients, preload, folder: seedFolder })
      results.push(result)
      options.onProgress({ is: 'seed', result, folder: seedFolder })
      if (isPassed(result) && options.keep !== true) rmSync(seedFolder, { recursive: true, force: true })
      if (result.failure !== undefined || !(await servers.areHealthy())) {
        await servers.stop()
        servers = undefined
      }
    }
  } finally {
    await servers?.stop()
    if (results.every(isPassed) && options.keep !== true) rmSync(folder, { recursive: true, force: true })
  }
  return results
}
