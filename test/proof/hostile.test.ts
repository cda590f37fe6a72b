import { expect, onTestFinished, test } from 'vitest'

import { hostileBounds, measureHostile } from '../../bench/soak/hostile/hostile.ts'
import { installation } from '../support/services/real-writer.ts'
import { startServiceProcess } from '../support/services/service-process.ts'

/** Shared machines are slow on their own. Only the effect of the hostile callers counts here. */
const bounds = {
  ...hostileBounds,
  p99Ms: (calmP99Ms: number) => Math.max(500, 5 * calmP99Ms),
  failedShare: 0.01,
}

test('a fifth of all hostile callers leaves a platform usable for good ones, in bounded memory, and moves no partition', async () => {
  const where = installation()
  onTestFinished(() => where.domain.remove())
  const { exited, ...platform } = await startServiceProcess('platform', where)
  onTestFinished(() => platform.stop())
  let hasEnded = false
  void exited.then(() => (hasEnded = true))
  const { broken, ...figures } = await measureHostile(
    {
      process: { ...platform, name: 'platform', hasEnded: () => hasEnded },
      type: where.type,
      projection: where.domain.projections.lifetime,
      rate: 100,
      calmMs: 5_000,
      attackMs: 20_000,
      share: 0.2,
      bounds,
    },
    () => undefined,
  )
  expect(broken, JSON.stringify(figures)).toEqual([])
  // Each was active, and was answered or held off.
  expect(figures.answers['junk arrays']).not.toHaveProperty('200')
  expect(Number(figures.answers['waiters']?.['503'])).toBeGreaterThan(0)
}, 180_000)
