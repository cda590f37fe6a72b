import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Servers } from './cluster/servers.ts'
import { traitsOf } from './cluster/traits.ts'
import { isUneventful } from './report/seed-report.ts'
import { runSeed } from './run-seed.ts'
import type { SeedResult } from './seed-result.ts'

interface RunSeedsOptions {
  readonly seeds: readonly number[]
  readonly durationMs: number
  readonly clients: number
  readonly preload?: string | undefined
  /** Whether the folders of seeds without findings are kept too. */
  readonly keep?: boolean
  /** Stops after a seed for which this is true; default: runs all seeds. */
  readonly isEnough?: (result: SeedResult) => boolean
  /** Called when the servers are up, and after each seed. */
  readonly onProgress: (event: Progress) => void
}

export type Progress =
  | { readonly is: 'servers'; readonly folder: string }
  | { readonly is: 'seed'; readonly result: SeedResult; readonly folder: string }

/** Runs one seed after the other on the same servers. Servers that are not healthy after a seed are replaced. */
export async function runSeeds(options: RunSeedsOptions): Promise<readonly SeedResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'annals-faults-'))
  openToOthers(folder)
  const results: SeedResult[] = []
  let servers: Servers | undefined
  let generation = 0
  try {
    for (const seed of options.seeds) {
      const traits = traitsOf(seed)
      if (servers !== undefined && servers.forgetsIds !== traits.forgetsIds) {
        await servers.stop()
        servers = undefined
      }
      if (servers === undefined) {
        servers = await Servers.start(openToOthers(join(folder, `servers-${++generation}`)), traits)
        options.onProgress({ is: 'servers', folder })
      }
      const seedFolder = join(folder, `${results.length + 1}-seed-${seed}`)
      const { durationMs, clients, preload } = options
      const result = await runSeed(servers, { seed, durationMs, clients, preload, folder: seedFolder })
      results.push(result)
      options.onProgress({ is: 'seed', result, folder: seedFolder })
      if (isUneventful(result) && options.keep !== true) rmSync(seedFolder, { recursive: true, force: true })
      if (options.isEnough?.(result) === true) break
      if (result.failure !== undefined || !(await servers.areHealthy())) {
        await servers.stop()
        servers = undefined
      }
    }
  } finally {
    await servers?.stop()
    if (results.every(isUneventful) && options.keep !== true) rmSync(folder, { recursive: true, force: true })
  }
  return results
}

/** When this process is root, PostgreSQL runs as another user. */
function openToOthers(folder: string): string {
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o755)
  return folder
}
