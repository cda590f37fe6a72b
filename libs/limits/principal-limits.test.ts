import fc from 'fast-check'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import type { AccessDocument, LimitsOfRole, Principal } from '#access'

import type { Allowance, InProgress } from './allowance.ts'
import { PrincipalLimits, type PrincipalLimitsOptions } from './principal-limits.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

const limitsWith = (options: Partial<PrincipalLimitsOptions>) =>
  new PrincipalLimits({ defaults: {}, metrics: new Registry(), ...options })

const named = (name: string, roles: readonly string[] = []): Principal => ({ name, kind: 'key', roles })

/** The allowance of a principal that has limits. */
function allowanceOf(limits: PrincipalLimits, name: string, roles?: readonly string[]): Allowance {
  const allowance = limits.of(named(name, roles))
  if (allowance === undefined) throw new Error(`${name} has no limits`)
  return allowance
}

const role = (limits: LimitsOfRole) => ({ rules: [], limits })

describe('limits of principals', () => {
  test('without a limit nothing is tracked', async () => {
    const metrics = new Registry()
    const limits = limitsWith({ metrics })
    expect(limits.of(named('ada'))).toBeUndefined()
    expect(await metrics.metrics()).toContain('annals_limit_principals 0')
  })

  test('each principal has its own', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('ada', 'bob'), fc.integer({ min: 1, max: 5 }))),
        (steps) => {
          const both = limitsWith({ defaults: { eventsPerSecond: 20 } })
          const alone = {
            ada: limitsWith({ defaults: { eventsPerSecond: 20 } }),
            bob: limitsWith({ defaults: { eventsPerSecond: 20 } }),
          }
          for (const [name, amount] of steps) {
            const isTaken = allowanceOf(both, name).take('events', amount) === undefined
            expect(allowanceOf(alone[name], name).take('events', amount) === undefined).toBe(isTaken)
          }
        },
      ),
    )
  })

  test('the largest limit of all roles holds; where no role sets one, the setting does', () => {
    const roles = { small: role({ requestsPerSecond: 5, reads: 2 }), large: role({ requestsPerSecond: 50 }) }
    const limits = limitsWith({ defaults: { requestsPerSecond: 10, subscribers: 3 }, roles: () => roles })
    expect(allowanceOf(limits, 'ada', ['small', 'large']).policy).toBe(
      '"requests";q=50;w=1, "subscribers";q=3;qu="concurrent-requests", "reads";q=2;qu="concurrent-requests"',
    )
    expect(allowanceOf(limits, 'bob', ['unknown']).policy).toBe(
      '"requests";q=10;w=1, "subscribers";q=3;qu="concurrent-requests"',
    )
  })

  test('a change of roles takes effect at the next request, and refills nothing', () => {
    let roles: AccessDocument['roles'] = { some: role({ requestsPerSecond: 10 }) }
    const limits = limitsWith({ roles: () => roles })
    const names = ['some']
    expect(allowanceOf(limits, 'ada', names).take('requests', 10)).toBeUndefined()
    roles = { some: role({ requestsPerSecond: 100 }) }
    expect(allowanceOf(limits, 'ada', names).take('requests', 1)).toMatchObject({ code: 'limit-exceeded' })
    vi.advanceTimersByTime(500)
    expect(allowanceOf(limits, 'ada', names).take('requests', 50)).toBeUndefined()
    roles = {}
    expect(limits.of(named('ada', names))).toBeUndefined()
  })

  test('errors say who has reached what, how long to wait and who can change it', () => {
    const limits = limitsWith({ defaults: { eventsPerSecond: 10, subscribers: 1 } })
    const ada = allowanceOf(limits, 'ada')
    ada.take('events', 35)
    expect(ada.take('events', 5)).toMatchObject({
      code: 'limit-exceeded',
      retry: 'same-ids',
      message:
        'ada may use 10 appended events a second in this process: wait 3 s; ANNALS_LIMIT_EVENTS, or eventsPerSecond of a role, sets the limit',
      details: { retryAfterSeconds: 3 },
    })
    ada.begin('subscribers')
    expect(ada.begin('subscribers')).toMatchObject({
      code: 'limit-exceeded',
      message:
        'ada has 1 of at most 1 live subscriptions in this process: end some, or wait; ANNALS_LIMIT_SUBSCRIBERS, or subscribers of a role, sets the limit',
      details: { retryAfterSeconds: 5 },
    })
  })

  test('the headers list what is limited and what is left of it', () => {
    const limits = limitsWith({
      defaults: { requestsPerSecond: 10, eventsPerSecond: 20, bytesPerSecond: 1_000, reads: 2 },
    })
    const ada = allowanceOf(limits, 'ada')
    ada.take('requests', 1)
    ada.take('bytes', 1_500)
    ada.begin('reads')
    expect(ada.policy).toBe(
      '"requests";q=10;w=1, "events";q=20;w=1;annals-unit="events", "bytes";q=1000;w=1;qu="content-bytes", "reads";q=2;qu="concurrent-requests"',
    )
    expect(ada.state(['requests', 'events', 'bytes'], 1)).toBe(
      '"requests";r=9;t=1, "events";r=20;t=1, "bytes";r=0;t=1',
    )
    expect(ada.state(['requests', 'reads', 'subscribers'], 7)).toBe('"requests";r=9;t=7, "reads";r=1')
  })
})

describe('the number of tracked principals', () => {
  test('is bounded, and forgetting changes no decision', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      pauseMs: fc.nat(600),
      amount: fc.integer({ min: 1, max: 15 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const defaults = { requestsPerSecond: 10 }
        const small = limitsWith({ defaults, principalsMax: 3 })
        const large = limitsWith({ defaults, principalsMax: 1_000 })
        for (const { name, pauseMs, amount } of steps) {
          vi.advanceTimersByTime(pauseMs)
          let found: Allowance | undefined
          try {
            found = small.of(named(name))
          } catch (error) {
            expect(error).toMatchObject({ code: 'overloaded', details: { retryAfterSeconds: 1 } })
            continue
          }
          const isTaken = found?.take('requests', amount) === undefined
          expect(allowanceOf(large, name).take('requests', amount) === undefined).toBe(isTaken)
        }
      }),
    )
  })

  test('a principal with a subscription, a read or a change in progress is not forgotten', async () => {
    const metrics = new Registry()
    const limits = limitsWith({
      metrics,
      defaults: { requestsPerSecond: 10, subscribers: 1 },
      principalsMax: 4,
    })
    const busy = (['subscribers', 'reads', 'changes'] as const).map((what): [Allowance, InProgress] => {
      const allowance = allowanceOf(limits, what)
      allowance.begin(what)
      return [allowance, what]
    })
    for (let n = 0; n < 100; n++) limits.of(named(`idle-${n}`))
    for (const [allowance, what] of busy) expect(limits.of(named(what))).toBe(allowance)
    allowanceOf(limits, 'the fourth').take('requests', 10)
    expect(() => limits.of(named('the fifth'))).toThrow('4 other principals are using this process')
    vi.advanceTimersByTime(1_000)
    expect(allowanceOf(limits, 'the fifth').name).toBe('the fifth')
    expect(await metrics.metrics()).toContain('annals_limit_principals 4')
  })

  test('stays near the number of those in use', async () => {
    const metrics = new Registry()
    const limits = limitsWith({ metrics, defaults: { requestsPerSecond: 10 } })
    for (let n = 0; n < 1_000; n++) {
      allowanceOf(limits, `user-${n}`).take('requests', 1)
      vi.advanceTimersByTime(10)
    }
    const tracked = Number(/^annals_limit_principals (\d+)$/m.exec(await metrics.metrics())?.[1])
    expect(tracked).toBeLessThan(100)
  })
})

test('rejections are counted by limit, and logged once a minute for a bounded number of principals', async () => {
  const metrics = new Registry()
  const limits = limitsWith({ metrics, defaults: { requestsPerSecond: 1 } })
  const all = Array.from({ length: 30 }, (_, n) => allowanceOf(limits, `user-${n}`))
  const rejectAll = () => all.filter((each) => limits.rejected(each, 'requests')).length
  expect([rejectAll(), rejectAll()]).toEqual([20, 0])
  vi.advanceTimersByTime(60_000)
  expect(rejectAll()).toBe(20)
  const text = await metrics.metrics()
  expect(text).toContain('annals_limit_rejected_total{limit="requests"} 90')
  expect(text).toContain('annals_limit_rejected_total{limit="reads"} 0')
  expect(text).not.toContain('user-')
})
