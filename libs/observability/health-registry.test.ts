import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { HealthRegistry } from './health-registry.ts'

const at = '2026-01-31T12:00:00.000Z'
const newRegistry = () => new HealthRegistry(() => new Date(at))

test('without checks all is well', async () => {
  expect(await newRegistry().ready()).toEqual({ healthy: true, takesRequests: true, checks: {} })
})

test('readiness looks at all checks, liveness at those of its own', async () => {
  const health = newRegistry()
  health.add({ name: 'loop', kind: 'liveness', check: () => undefined })
  health.add({
    name: 'kafka',
    kind: 'readiness',
    check: () => Promise.reject(new Error('no broker answers')),
  })
  expect(await health.live()).toEqual({
    healthy: true,
    takesRequests: true,
    checks: { loop: { healthy: true } },
  })
  expect(await health.ready()).toEqual({
    healthy: false,
    takesRequests: false,
    checks: {
      loop: { healthy: true },
      kafka: {
        healthy: false,
        error: 'no broker answers',
        lastError: { message: 'no broker answers', at },
      },
    },
  })
})

test('a failing liveness check makes the process neither live nor ready', async () => {
  const health = newRegistry()
  health.add({
    name: 'loop',
    kind: 'liveness',
    check: () => {
      throw new Error('stuck')
    },
  })
  expect((await health.live()).healthy).toBe(false)
  expect((await health.ready()).healthy).toBe(false)
})

test.each([
  ['a part alone', ['part'], true],
  ['parts', ['part', 'part'], true],
  ['a part and what requests need', ['part', 'readiness'], false],
] as const)(
  'where %s fails, the process is not healthy, and requests may come: %s',
  async (_, kinds, takesRequests) => {
    const health = newRegistry()
    health.add({ name: 'well', kind: 'readiness', check: () => undefined })
    for (const [at, kind] of kinds.entries())
      health.add({ name: `broken ${at}`, kind, check: () => Promise.reject(new Error('away')) })
    expect(await health.ready()).toMatchObject({ healthy: false, takesRequests })
  },
)

test('what a check tells is passed on', async () => {
  const health = newRegistry()
  health.add({ name: 'partitions', kind: 'readiness', check: () => ({ owned: 8 }) })
  expect((await health.ready()).checks['partitions']).toEqual({ healthy: true, details: { owned: 8 } })
})

test('the latest failure is remembered when all is well again', async () => {
  const health = newRegistry()
  let broken = true
  health.add({
    name: 'redis',
    kind: 'readiness',
    check: () => {
      if (broken) throw new Error('away')
    },
  })
  await health.ready()
  broken = false
  expect((await health.ready()).checks['redis']).toEqual({
    healthy: true,
    lastError: { message: 'away', at },
  })
})

test('a name is taken once, and free again after its check was taken out', async () => {
  const health = newRegistry()
  const check = { name: 'kafka', kind: 'readiness', check: () => undefined } as const
  const remove = health.add(check)
  expect(() => health.add(check)).toThrow('named kafka already')
  remove()
  expect((await health.ready()).checks).toEqual({})
  health.add(check)
})

describe('a check that hangs', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('fails after its time, and is told to stop', async () => {
    const health = newRegistry()
    let stopped = false
    health.add({
      name: 'kafka',
      kind: 'readiness',
      timeoutMs: 50,
      check: (signal) => {
        signal.addEventListener('abort', () => (stopped = true))
        return new Promise(() => undefined)
      },
    })
    const report = health.ready()
    await vi.advanceTimersByTimeAsync(49)
    expect(stopped).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await report).toMatchObject({
      healthy: false,
      checks: { kafka: { error: 'no answer within 50 ms' } },
    })
    expect(stopped).toBe(true)
  })

  test('has two seconds where it does not say, and is asked once by all who look meanwhile', async () => {
    const health = newRegistry()
    const check = vi.fn(() => new Promise(() => undefined))
    health.add({ name: 'kafka', kind: 'readiness', check })
    const reports = Promise.all([health.ready(), health.ready()])
    await vi.advanceTimersByTimeAsync(2_000)
    expect((await reports).map(({ healthy }) => healthy)).toEqual([false, false])
    expect(check).toHaveBeenCalledTimes(1)
  })
})
