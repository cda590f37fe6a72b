import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished } from 'vitest'

import type { KafkaVersion } from '../../../scripts/stack/index.ts'
import { runPausedOwner } from '../../faults/paused-owner/run.ts'
import { openStand } from '../../faults/paused-owner/stand.ts'

// A short form of `npm run faults:paused`: forgotten before the pause, and during it.
const seeds = [1, 3]

/** Pauses an owner on its own servers of this version, and checks that no event is lost or duplicated. */
export async function expectPausedOwnerHarmless(version: KafkaVersion): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'annals-paused-owner-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const stand = await openStand(version, folder)
  onTestFinished(() => stand.stop())
  for (const seed of seeds) {
    const run = await runPausedOwner(stand, seed, join(folder, `run-${seed}`))
    expect(run.violations, `run ${seed}`).toEqual([])
    // The records of the paused owner are in the log and do not count. Without them the run would have tested
    // nothing.
    expect(run.strays, `strays of run ${seed}`).toBeGreaterThan(0)
  }
}
