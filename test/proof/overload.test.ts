import { expect, onTestFinished, test } from 'vitest'

import { measureOverload, overloadBounds } from '../../bench/soak/overload.ts'
import { installation } from '../support/services/real-writer.ts'
import { startServiceProcess } from '../support/services/service-process.ts'

const times = { measureMs: 2_000, overloadMs: 5_000 }

test('three times the capacity of a platform is rejected promptly, slows the rest within bounds, and has no effect afterwards', async () => {
  const where = installation(overloadBounds)
  onTestFinished(() => where.domain.remove())
  const { exited, ...platform } = await startServiceProcess('platform', where)
  onTestFinished(() => platform.stop())
  let hasEnded = false
  void exited.then(() => (hasEnded = true))
  const process = { ...platform, name: 'platform', hasEnded: () => hasEnded } as const
  const { broken, ...figures } = await measureOverload([process], () => undefined, {
    ...times,
    type: where.type,
  })
  expect(broken, JSON.stringify(figures)).toEqual([])
}, 120_000)
