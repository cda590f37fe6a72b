import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { position } from '#domain'

import { InMemoryViewStore } from '../in-memory/in-memory-view-store.ts'
import { aroundStore } from '../testing/around-store.ts'
import { balances } from '../testing/ledger.ts'
import type { GenerationState } from '../view-store/generations.ts'
import type { ViewStore } from '../view-store/view-store.ts'
import { Switcher } from './switcher.ts'

const source = 'eventstore.account:0'

const state = (id: string, checkpoint: number, more: Partial<GenerationState> = {}): GenerationState => ({
  id,
  status: id === 'old' ? 'serving' : 'building',
  viewVersion: 1,
  indexNames: [],
  createdAtMs: 0,
  topicIds: { 'eventstore.account': 'a' },
  range: {},
  checkpoints: new Map([[source, checkpoint]]),
  stops: new Map(),
  views: 0,
  parked: 0,
  unpublished: 0,
  ...more,
})

/** A store that always finds the new generation behind. */
function asked() {
  const calls: unknown[] = []
  const store: ViewStore = aroundStore(new InMemoryViewStore(), (_, __, [set]) => {
    calls.push(set)
    return Promise.resolve('behind')
  })
  const parts = { store, observer: { switched: () => undefined } } as unknown as ConstructorParameters<
    typeof Switcher
  >[1]
  return { calls, switcher: new Switcher(balances(), parts) }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

test('a generation that is far behind does not hold the serving one', async () => {
  const { calls, switcher } = asked()
  expect(await switcher.trySwitch(state('new', 999), state('old', 6_000))).toBeUndefined()
  expect(calls).toEqual([])
  expect(await switcher.trySwitch(state('new', 1_000), state('old', 6_000))).toBeGreaterThan(0)
  expect(calls).toHaveLength(1)
})

test('a gap in a recreated topic does not count', async () => {
  const { calls, switcher } = asked()
  await switcher.trySwitch(state('new', 0, { topicIds: { 'eventstore.account': 'b' } }), state('old', 9_000))
  expect(calls).toHaveLength(1)
})

test('a generation that never catches up holds the serving one only part of the time', async () => {
  const { calls, switcher } = asked()
  const tryOn = async (times: number) => {
    for (let n = 0; n < times; n++) await switcher.trySwitch(state('new', 0), state('old', 10))
  }
  await tryOn(200)
  expect(calls).toHaveLength(80)
  vi.advanceTimersByTime(9_999)
  await tryOn(200)
  expect(calls).toHaveLength(80)
  vi.advanceTimersByTime(1)
  await tryOn(200)
  expect(calls).toHaveLength(160)
})

test('during a rest polling continues, and a newer generation has its own tries', async () => {
  const { calls, switcher } = asked()
  for (let n = 0; n < 79; n++) expect(await switcher.trySwitch(state('new', 0), state('old', 10))).toBe(25)
  expect(await switcher.trySwitch(state('new', 0), state('old', 10))).toBeUndefined()
  expect(await switcher.trySwitch(state('newer', 0), state('old', 10))).toBe(25)
  expect(calls).toHaveLength(81)
})

test('a stopped generation does not hold the serving one, unless the stop is at an event applied since', async () => {
  const { calls, switcher } = asked()
  const stopAt = (offset: number) => ({
    stops: new Map([
      [source, { position: position('eventstore.account', 0, offset), error: 'poison', stoppedAtMs: 0 }],
    ]),
  })
  expect(await switcher.trySwitch(state('new', 5, stopAt(5)), state('old', 10))).toBeUndefined()
  expect(calls).toEqual([])
  await switcher.trySwitch(state('new', 5, stopAt(4)), state('old', 10))
  expect(calls).toHaveLength(1)
})
