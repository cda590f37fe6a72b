import { expect, test } from 'vitest'

import { defineDomain } from '#domain'

import type { OpenLog } from './open-log.ts'
import { watchBackups, type WatchOptions } from './watch-backup.ts'

const log = {} as OpenLog

const watch = (parts: Pick<WatchOptions, 'make' | 'due' | 'signal'> & Partial<WatchOptions>): Promise<void> =>
  watchBackups({
    types: [],
    domain: defineDomain({ aggregates: [], projections: [], upcasters: [] }),
    open: (use) => use(log),
    failed: () => undefined,
    ...parts,
  })

test('a backup is made immediately, and then at each interval', async () => {
  const ending = new AbortController()
  const times: number[] = []
  const make = () => {
    times.push(performance.now())
    if (times.length === 3) ending.abort()
    return Promise.resolve()
  }
  await watch({ due: { everyMs: 100 }, make, signal: ending.signal })
  expect(times).toHaveLength(3)
  expect((times[2] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(190)
})

test('a failure is reported and retried at growing intervals with new connections', async () => {
  const ending = new AbortController()
  const reported: [string, number][] = []
  let opened = 0
  await watch({
    due: { everyMs: 60_000 },
    open: (use) => (++opened === 1 ? Promise.reject(new Error('no broker')) : use(log)),
    make: () => {
      if (opened === 2) return Promise.reject(new Error('no registry'))
      ending.abort()
      return Promise.resolve()
    },
    failed: (error, retryMs) => void reported.push([String(error), retryMs]),
    signal: ending.signal,
  })
  expect(reported.map(([, retryMs]) => retryMs)).toEqual([1_000, 2_000])
  expect(reported.map(([message]) => message).join()).toMatch(/no broker.*no registry/s)
  expect(opened).toBe(3)
})

test('an abort ends the wait', async () => {
  const ending = new AbortController()
  const make = () => {
    setTimeout(() => ending.abort(), 50)
    return Promise.resolve()
  }
  await expect(watch({ due: { everyMs: 3_600_000 }, make, signal: ending.signal })).resolves.toBeUndefined()
})
