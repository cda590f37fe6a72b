import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { HealthRegistry } from './health-registry.ts'

const at = '2026-01-31T12:00:00.000Z'
const newRegistry = () => new HealthRegistry(() => new Date(at))

test('without checks everything is healthy', async () => {
  expect(await newRegistry().ready()).toEqual({ healthy: true, takesRequests: true, checks: {} })
})

test('readiness runs all checks, liveness only its own', async () => {
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
  ['a part and a dependency of requests', ['part', 'readiness'], false],
] as const)(
  'when %s fails, the process is unhealthy, and whether it takes requests is %s',
  async (_, kinds, takesRequests) => {
    const health = newRegistry()
    health.add({ name: 'well', kind: 'readiness', check: () => undefined })
    for (const [at, kind] of kinds.entries())
      health.add({ name: `broken ${at}`, kind, check: () => Promise.reject(new Error('away')) })
    expect(await health.ready()).toMatchObject({ healthy: false, takesRequests })
  },
)

test('the details of a check are included', async () => {
  const health = newRegistry()
  health.add({ name: 'partitions', kind: 'readiness', check: () => ({ owned: 8 }) })
  expect((await health.ready()).checks['partitions']).toEqual({ healthy: true, details: { owned: 8 } })
})

test('the latest failure is kept after recovery', async () => {
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

test('a name is used once, and free again after its check is removed', async () => {
  const health = newRegistry()
  const check = { name: 'kafka', kind: 'readiness', check: () => undefined } as const
  const remove = health.add(check)
  expect(() => health.add(check)).toThrow('named kafka exists already')
  remove()
  expect((await health.ready()).checks).toEqual({})
  health.add(check)
})

describe('a check that hangs', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('fails after its time-out and gets the abort signal', async () => {
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

  test('has two seconds by default, and runs once for all concurrent callers', async () => {
    const health = newRegistry()
    const check = vi.fn(() => new Promise(() => undefined))
    health.add({ name: 'kafka', kind: 'readiness', check })
    const reports = Promise.all([health.ready(), health.ready()])
    await vi.advanceTimersByTimeAsync(2_000)
    expect((await reports).map(({ healthy }) => healthy)).toEqual([false, false])
    expect(check).toHaveBeenCalledTimes(1)
  })
})
