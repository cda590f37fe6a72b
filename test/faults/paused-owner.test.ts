import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { versions } from '../../scripts/stack/index.ts'
import { runPausedOwner } from './paused-owner/run.ts'
import { openStand } from './paused-owner/stand.ts'

// A short form of `npm run faults:paused`: forgotten before the pause, and during it.
const seeds = [1, 3]

test.each([versions.kafkaOldest, versions.kafka])(
  'an owner paused before its produce request until its id is forgotten loses and duplicates nothing, on Kafka %s',
  { timeout: 300_000 },
  async (version) => {
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
  },
)
