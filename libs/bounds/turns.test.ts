import { monitorEventLoopDelay } from 'node:perf_hooks'

import { expect, test } from 'vitest'

import { busy } from './testing/index.ts'
import { Pace, Turns } from './turns.ts'

const range = (count: number) => Array.from({ length: count }, (_, n) => n)

test('work of many concurrent callers yields to the event loop every few milliseconds', async () => {
  const lane = new Turns().lane()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  let timers = 0
  const timer = setInterval(() => timers++, 1)
  // 400 ms of work that starts all at once.
  await Promise.all(range(40).map(() => lane.map(range(100), () => busy(0.1))))
  clearInterval(timer)
  delay.disable()
  expect(timers).toBeGreaterThan(20)
  // Without turns it is 400 ms. Shared machines add some delay of their own.
  expect(delay.percentile(90) / 1e6).toBeLessThan(60)
})

test('results are in the order of their items, and each item is processed once', async () => {
  const lane = new Turns().lane()
  const seen: number[] = []
  const results = await lane.map(range(1_000), (n) => {
    seen.push(n)
    busy(0.01)
    return n * 2
  })
  expect(seen).toEqual(range(1_000))
  expect(results).toEqual(range(1_000).map((n) => n * 2))
})

test('lanes alternate: a long queue of one kind delays another kind by one step', async () => {
  const turns = new Turns()
  const [first, second] = [turns.lane(), turns.lane()]
  const order: string[] = []
  // The slice is used up, so the rest waits.
  await first.run(() => busy(6))
  const long = range(50).map((n) => first.run(() => order.push(`first ${n}`)))
  const short = second.run(() => order.push('second'))
  await Promise.all([...long, short])
  expect(order.indexOf('second')).toBeLessThanOrEqual(1)
  expect(order.filter((name) => name !== 'second')).toEqual(range(50).map((n) => `first ${n}`))
})

test('a step that throws fails only its caller', async () => {
  const lane = new Turns().lane()
  const failing = lane.run(() => {
    throw new Error('no')
  })
  const next = lane.run(() => 7)
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe(7)
  await expect(
    lane.map(range(100), (n) => {
      if (n === 60) throw new Error('not this one')
    }),
  ).rejects.toThrow('not this one')
})

/** A loop that is busy for this share of the time. */
function paceAt(utilizations: readonly number[]) {
  const left = [...utilizations]
  let nowMs = 0
  const pace = new Pace(9, () => left.shift() ?? 0, 0)
  return utilizations.map(() => pace.restMs(4, (nowMs += 100)))
}

test('on a busy loop long work takes a tenth of the time, step by step; on an idle one, half of it again', () => {
  expect(paceAt([0.5, 0.95, 1, 1, 1, 1])).toEqual([4, 8, 16, 32, 36, 36])
  expect(paceAt([1, 1, 1, 1, 0.89, 0.2, 0.2, 0.2, 0.2])).toEqual([8, 16, 32, 36, 18, 9, 4.5, 4, 4])
})

test('the load is measured ten times a second at most', () => {
  let looks = 0
  const pace = new Pace(
    9,
    () => {
      looks++
      return 1
    },
    0,
  )
  for (let nowMs = 0; nowMs <= 1_000; nowMs++) pace.restMs(4, nowMs)
  expect(looks).toBe(10)
})
