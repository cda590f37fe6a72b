import { test } from 'vitest'

import type { Traffic } from '../support/append/writer-traffic.ts'
import { type redisToBreak, withDump, withFile } from '../support/index/redis-to-break.ts'

/** An installation under load, and how a test checks it. */
interface Installed<Scene> {
  readonly redis: ReturnType<typeof redisToBreak>
  readonly underTraffic: () => Promise<Scene>
  /** After some more load, everything is complete and consistent. */
  readonly expectWholeAfterMore: (scene: Scene) => Promise<void>
  /** How often Redis is emptied. */
  readonly emptied: number
  /** Answers to wait for after each loss. */
  readonly answers: number
}

/** Tests that an installation recovers when its Redis loses state under load. */
export function testRedisLosses<Scene extends { readonly traffic: Traffic }>({
  redis,
  underTraffic,
  expectWholeAfterMore,
  emptied,
  answers,
}: Installed<Scene>): void {
  test('Redis is emptied under load, again and again', async () => {
    const scene = await underTraffic()
    for (let round = 0; round < emptied; round++) {
      await redis.send('FLUSHALL')
      await scene.traffic.waitForMore(answers)
    }
    await expectWholeAfterMore(scene)
  })

  test('Redis is killed under load, and restarts with an older dump', async () => {
    const scene = await underTraffic()
    await redis.send('SAVE')
    await scene.traffic.waitForMore()
    await redis.killAndStart(...withDump)
    await expectWholeAfterMore(scene)
  })

  test('Redis is killed under load, and restarts with its append-only file', async () => {
    await redis.killAndStart(...withFile)
    const scene = await underTraffic()
    for (let round = 0; round < 2; round++) {
      await redis.killAndStart(...withFile)
      await scene.traffic.waitForMore(answers)
    }
    await expectWholeAfterMore(scene)
  })
}
