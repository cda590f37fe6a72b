import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { leaseWaitMs, ReadLease } from './read-lease.ts'

const leaseMs = 20
const always = () => true

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'], now: Date.UTC(2026, 0, 31) })
})

afterEach(() => {
  vi.useRealTimers()
})

/** Lets time pass by both clocks. */
const pass = (ms: number) => {
  vi.advanceTimersByTime(ms)
}

/** Changes the wall clock alone. */
const adjust = (ms: number) => {
  vi.setSystemTime(Date.now() + ms)
}

async function confirmed(): Promise<ReadLease> {
  const lease = new ReadLease()
  await lease.confirm(() => Promise.resolve(), always)
  return lease
}

test('a lease is not held before the ownership was confirmed', () => {
  expect(new ReadLease().isHeld).toBe(false)
})

test('a lease is held for its time after a confirmation, and no longer', async () => {
  const lease = await confirmed()
  expect(lease.isHeld).toBe(true)
  pass(leaseMs - 1)
  expect(lease.isHeld).toBe(true)
  pass(1)
  expect(lease.isHeld).toBe(false)
})

test('a lease starts before the request that confirms it', async () => {
  const lease = new ReadLease()
  const request = () => {
    pass(leaseMs - 5)
    return Promise.resolve('answer')
  }
  expect(await lease.confirm(request, always)).toBe('answer')
  expect(lease.isHeld).toBe(true)
  pass(5)
  expect(lease.isHeld).toBe(false)
})

test('a request that takes longer than the lease confirms nothing', async () => {
  const lease = new ReadLease()
  await lease.confirm(() => {
    pass(leaseMs)
    return Promise.resolve()
  }, always)
  expect(lease.isHeld).toBe(false)
})

test('an answer that does not confirm the ownership, and an error, do not extend a lease', async () => {
  const lease = new ReadLease()
  expect(
    await lease.confirm(
      () => Promise.resolve('guard-lost'),
      (answer) => answer !== 'guard-lost',
    ),
  ).toBe('guard-lost')
  expect(lease.isHeld).toBe(false)
  await expect(lease.confirm(() => Promise.reject(new Error('down')), always)).rejects.toThrow('down')
  expect(lease.isHeld).toBe(false)
})

test('each confirmation extends a lease', async () => {
  const lease = await confirmed()
  pass(leaseMs - 1)
  await lease.confirm(() => Promise.resolve(), always)
  pass(leaseMs - 1)
  expect(lease.isHeld).toBe(true)
})

test('an earlier request that is answered later does not shorten a lease', async () => {
  const lease = new ReadLease()
  const slow = Promise.withResolvers<undefined>()
  const first = lease.confirm(() => slow.promise, always)
  pass(10)
  await lease.confirm(() => Promise.resolve(), always)
  slow.resolve(undefined)
  await first
  pass(15)
  expect(lease.isHeld).toBe(true)
})

test('a suspended machine ends a lease: only the wall clock shows that time has passed', async () => {
  const lease = await confirmed()
  adjust(leaseMs)
  expect(performance.now()).toBe(0)
  expect(lease.isHeld).toBe(false)
})

test('a wall clock that was set back ends a lease', async () => {
  const lease = await confirmed()
  adjust(-1)
  expect(lease.isHeld).toBe(false)
})

test('the monotonic clock alone ends a lease, too', async () => {
  const lease = await confirmed()
  pass(leaseMs)
  adjust(-leaseMs + 1)
  expect(lease.isHeld).toBe(false)
})

test('the next owner waits longer than a lease', () => {
  expect(leaseWaitMs).toBeGreaterThanOrEqual(1.25 * leaseMs)
})
