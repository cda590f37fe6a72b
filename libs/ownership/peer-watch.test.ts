import pino from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { Peer } from '#kafka'

import { PeerWatch } from './peer-watch.ts'
import type { PortState } from './probe-port.ts'

const peer = (name: string, isVerified = true): Peer => ({
  ...{ memberId: `m-${name}`, url: `http://${name}`, instance: `i-${name}` },
  ...{ topics: ['eventstore.a'], takesEarly: true, isVerified },
})

/** A watch over ports whose states the test sets. */
function setUp() {
  const ports = new Map<string, PortState>()
  const seen = { probes: [] as string[], changes: 0, identified: 0 }
  const identity: { answer: 'verified' | 'refuted' | 'unknown' } = { answer: 'verified' }
  const watch = new PeerWatch({
    self: { url: 'http://self', instance: 'i-self' },
    probe: (url) => {
      seen.probes.push(url)
      return Promise.resolve(ports.get(url) ?? 'open')
    },
    identify: () => {
      seen.identified++
      return Promise.resolve(identity.answer)
    },
    onChange: () => seen.changes++,
    logger: pino({ level: 'silent' }),
  })
  watch.watch([peer('self'), peer('a'), peer('b')])
  const round = async () => {
    const done = watch.round()
    await vi.advanceTimersByTimeAsync(200)
    await done
  }
  return { watch, ports, seen, identity, round }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a member is down once its port has refused twice', async () => {
  const { watch, ports, seen, round } = setUp()
  await round()
  expect(seen.probes).toEqual(['http://a', 'http://b'])
  ports.set('http://a', 'refused')
  await round()
  expect([watch.isDown('i-a'), watch.isDown('i-b'), watch.downCount, seen.changes]).toEqual([
    true,
    false,
    1,
    1,
  ])
})

test.each<PortState>(['open', 'unknown'])('a port that is %s is not down', async (state) => {
  const { watch, ports, seen, round } = setUp()
  ports.set('http://a', state)
  await round()
  expect([watch.downCount, seen.changes, seen.identified]).toEqual([0, 0, 0])
})

test('a refusal that is not repeated does not count, unless another process answers', async () => {
  const { watch, ports, identity, round } = setUp()
  const refuseOnce = () => {
    ports.set('http://a', 'refused')
    setTimeout(() => ports.set('http://a', 'open'), 50)
  }
  refuseOnce()
  await round()
  expect(watch.isDown('i-a')).toBe(false)
  identity.answer = 'refuted'
  refuseOnce()
  await round()
  expect(watch.isDown('i-a')).toBe(true)
})

test('a member that accepts connections again is back if it is the same process, and gone if it is another', async () => {
  const { watch, ports, identity, round, seen } = setUp()
  ports.set('http://a', 'refused')
  await round()
  ports.set('http://a', 'open')
  identity.answer = 'unknown'
  await round()
  expect(watch.isDown('i-a')).toBe(true)
  identity.answer = 'verified'
  await round()
  expect([watch.isDown('i-a'), seen.changes]).toEqual([false, 2])
  ports.set('http://a', 'refused')
  await round()
  ports.set('http://a', 'open')
  identity.answer = 'refuted'
  await round()
  identity.answer = 'verified'
  await round()
  expect(watch.isDown('i-a')).toBe(true)
})

test('a process that is refused at its own address does not judge others', async () => {
  const { watch, ports, round } = setUp()
  ports.set('http://a', 'refused').set('http://self', 'refused')
  await round()
  expect(watch.downCount).toBe(0)
  ports.set('http://self', 'unknown')
  await round()
  expect(watch.downCount).toBe(1)
})

test('only verified members are probed; one that is down is watched until it leaves the group', async () => {
  const { watch, ports, seen, round } = setUp()
  watch.watch([peer('self'), peer('a'), peer('b', false)])
  await round()
  expect(seen.probes).toEqual(['http://a'])
  ports.set('http://a', 'refused')
  await round()
  watch.watch([peer('self'), peer('a', false)])
  expect(watch.isDown('i-a')).toBe(true)
  watch.watch([peer('self')])
  expect([watch.isDown('i-a'), watch.downCount]).toEqual([false, 0])
})

test('a suspicion probes at once, one check of a member at a time', async () => {
  const { watch, ports, seen } = setUp()
  ports.set('http://b', 'refused')
  for (let requests = 0; requests < 50; requests++) watch.suspect('http://b')
  watch.suspect('http://unknown')
  await vi.advanceTimersByTimeAsync(200)
  expect(seen.probes).toEqual(['http://b', 'http://b', 'http://self'])
  expect(watch.isDown('i-b')).toBe(true)
  watch.suspect('http://b')
  expect(seen.probes).toHaveLength(3)
})
