import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { defineProjection, type DomainEvent, type Projection, type RecordedEvent } from '#domain'

import type { FedEvent } from '#event-log/records'
import { InMemoryFeed } from '../testing/in-memory-feed.ts'
import { balances, closed, entered, ledger } from '../testing/ledger.ts'
import type { StoredView, ViewChange } from '../view-store/views.ts'
import { foldSteps, stepsOf } from './fold-events.ts'

type Put = DomainEvent<'Put', { readonly view: unknown }>

/** Each event carries the view that it sets. */
const puts = (
  definition: { readonly bytesMax?: number; readonly key?: unknown; readonly index?: unknown } = {},
) =>
  defineProjection<unknown, Put>({
    name: 'puts',
    source: 'account',
    keyedBy: 'stream',
    initialView: {},
    on: { Put: (_, { data }) => data.view },
    ...('key' in definition && { key: () => definition.key as string }),
    ...(definition.bytesMax !== undefined && { bytesMax: definition.bytesMax }),
    ...('index' in definition && { indexes: { figure: (view) => view as number } }),
  })

const put = (view: unknown, account = 'a') => ({
  streamId: `account.${account}`,
  type: 'Put',
  data: { view },
})
const recorded = (...drafts: Parameters<InMemoryFeed['append']>[1][]): readonly RecordedEvent[] =>
  new InMemoryFeed().append(ledger(0), ...drafts)

const none: ReadonlyMap<string, StoredView> = new Map()

function folded(projection: Projection, events: readonly FedEvent[], stored = none) {
  const { steps, failure } = stepsOf(projection, events)
  if (failure !== undefined) return { changes: [], failure }
  return foldSteps(projection, stored, steps)
}

/** The stored view after a change. */
const stored = ({ key, json, changedAtMs, expiresAtMs }: ViewChange, revision = 1) =>
  new Map<string, StoredView>([
    [key, { json: json ?? 'null', revision, changedAtMs, ...(expiresAtMs !== undefined && { expiresAtMs }) }],
  ])

const cyclic: { self?: unknown } = {}
cyclic.self = cyclic

describe('exactly the failing event is reported', () => {
  test.each([
    ['a view of undefined', puts(), undefined, /is undefined: expected plain JSON/],
    ['a view that is a function', puts(), () => 1, /is function: expected plain JSON/],
    ['a BigInt', puts(), { n: 1n }, /BigInt/],
    ['a cycle', puts(), cyclic, /circular/],
    ['a view that is too large', puts({ bytesMax: 10 }), 'x'.repeat(9), /more than 10 bytes/],
    ['a view that is too large in UTF-8', puts({ bytesMax: 10 }), 'ü'.repeat(5), /more than 10 bytes/],
    ['a figure that is not finite', puts({ index: true }), NaN, /NaN for its index figure/],
  ])('for %s', (_, projection, view, message) => {
    const events = recorded(put(1), put(1, 'b'), put(view), put(2, 'b'), put(3, 'c'))
    const { changes, failure } = folded(projection, events)
    expect(changes).toEqual([])
    expect(failure?.event).toBe(events[2])
    expect(failure?.error.message).toMatch(message)
  })

  test('for a view of undefined, even if the next event would start a new view', () => {
    const events = recorded(put(1), put(undefined), put(2))
    expect(folded(puts(), events).failure?.event).toBe(events[1])
  })

  test.each([
    ['empty', ''],
    ['not text', 7],
    ['null', null],
    ['too long', 'x'.repeat(1_025)],
    ['too long in UTF-8', 'é'.repeat(513)],
    ['text with U+0000', 'a\0'],
    ['half a surrogate pair', '\ud800'],
  ])('for a key that is %s', (_, key) => {
    const events = recorded(put(1), put(2))
    const { steps, failure } = stepsOf(puts({ key }), events)
    expect(steps).toEqual([])
    expect(failure?.event).toBe(events[0])
    expect(failure?.error.message).toMatch(/expected text of 1 to 1024 bytes/)
  })

  test('when its key function throws', () => {
    const events = recorded(entered('a', 1), put(1), entered('b', 1))
    const projection = balances({
      onUnknown: (view) => view,
      key: ({ streamId, type }) => {
        if (type === ('Put' as string)) throw new Error('no key for it')
        return streamId
      },
    })
    const { steps, failure } = stepsOf(projection, events)
    expect(steps.map(({ key }) => key)).toEqual(['account.a'])
    expect(failure).toMatchObject({ event: events[1], error: new Error('no key for it') })
  })

  test('when its reducer throws something that is not an error', () => {
    const projection = balances({
      on: {
        Entered: () => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error
          throw 'no reason'
        },
      },
    })
    const events = recorded(entered('a', 1))
    expect(folded(projection, events).failure).toEqual({ event: events[0], error: new Error('no reason') })
  })
})

test.each([
  ['keys of exactly the maximum length', puts({ key: 'x'.repeat(1_024) }), 1, '1'],
  ['views of exactly the maximum size', puts({ bytesMax: 10 }), 'x'.repeat(8), '"xxxxxxxx"'],
  ['U+0000', puts(), 'a\0b', '"a\\u0000b"'],
  ['U+0000 behind a backslash', puts(), '\\\0', '"\\\\\\u0000"'],
  ['half a surrogate pair', puts(), '\ud83d', '"\\ud83d"'],
  ['a view of false', puts(), false, 'false'],
])('accepts %s', (_, projection, view, json) => {
  const { changes } = folded(projection, recorded(put(view)))
  expect(changes.map((change) => change.json)).toEqual([json])
})

test('non-deterministic reducers lose no views', () => {
  let calls = 0
  const moody = balances({ indexes: { mood: () => (calls++ === 0 ? NaN : 1) } })
  const { steps } = stepsOf(moody, recorded(entered('a', 1)))
  expect(() => foldSteps(moody, none, steps)).toThrow(/NaN for its index mood/)
})

test('each view changes once, made from the revision that was read', () => {
  const projection = balances()
  const before = new Map([
    ['a', { json: '{"events":5,"balance":50,"checksum":1}', revision: 9, changedAtMs: 0 }],
  ])
  const { changes } = folded(projection, recorded(entered('a', 1), entered('b', 2), entered('a', 3)), before)
  expect(changes).toMatchObject([
    { key: 'a', expected: 9, indexes: { balance: 54 } },
    { key: 'b', expected: 0, indexes: { balance: 2 } },
  ])
})

test('a view created and deleted within a step is no change; a stored one is deleted', () => {
  const projection = balances()
  const events = recorded(entered('a', 1), closed('a'))
  expect(folded(projection, events).changes).toEqual([])
  const before = new Map([['a', { json: '{}', revision: 3, changedAtMs: 0 }]])
  expect(folded(projection, events, before).changes).toMatchObject([{ key: 'a', expected: 3, json: null }])
})

test('a reducer that mutates the initial view fails and affects no other view', () => {
  interface Bag {
    items: number[]
  }
  const bags = defineProjection<Bag, Put>({
    name: 'bags',
    source: 'account',
    keyedBy: 'stream',
    initialView: { items: [] },
    on: {
      Put: (view) => {
        view.items.push(1)
        return view
      },
    },
  })
  expect(folded(bags, recorded(put(1))).failure?.error).toBeInstanceOf(TypeError)
  expect(bags.initialView).toEqual({ items: [] })
})

describe('time to live', () => {
  const day = 86_400_000
  const mortal = balances({ ttlMs: 2 * day })
  const on = (date: string) => ({ ...entered('a', 1), timestamp: `2026-01-${date}T00:00:00.000Z` })
  const eventsOf = ({ changes }: ReturnType<typeof folded>) => JSON.parse(changes[0]?.json ?? '{}') as unknown

  test('counts from the time of the last event', () => {
    const { changes } = folded(mortal, recorded(on('01'), on('02')))
    expect(changes).toMatchObject([{ expiresAtMs: Date.parse('2026-01-04T00:00:00.000Z') }])
  })

  test('lets an expired view restart with the next event, in one step or several', () => {
    const first = recorded(on('01'), on('02'))
    const justDue = recorded(on('04'))
    expect(eventsOf(folded(mortal, [...first, ...justDue]))).toMatchObject({ events: 1 })
    const [change] = folded(mortal, first).changes
    if (change === undefined) throw new Error('expected a change')
    expect(eventsOf(folded(mortal, justDue, stored(change)))).toMatchObject({ events: 1 })
    const before = recorded({ ...on('03'), timestamp: '2026-01-03T23:59:59.999Z' })
    expect(eventsOf(folded(mortal, before, stored(change)))).toMatchObject({ events: 3 })
  })

  test('is not shortened by a late event', () => {
    const { changes } = folded(mortal, recorded(on('05'), on('04')))
    expect(changes).toMatchObject([
      { changedAtMs: Date.parse('2026-01-05'), expiresAtMs: Date.parse('2026-01-07') },
    ])
  })

  test('starts over after the view was deleted', () => {
    const { changes } = folded(mortal, recorded(on('05'), closed('a'), on('03')))
    expect(changes).toMatchObject([{ expiresAtMs: Date.parse('2026-01-05') }])
  })

  test('has the same result in one step and in many, wherever they end', () => {
    const someEvent = fc.record({
      hours: fc.integer({ min: -5, max: 60 }),
      account: fc.constantFrom('a', 'b'),
      isLast: fc.nat(5),
    })
    fc.assert(
      fc.property(fc.array(someEvent, { maxLength: 30 }), fc.array(fc.nat(8)), (plain, cuts) => {
        let atMs = Date.parse('2026-01-01')
        const drafts = plain.map(({ hours, account, isLast }) => {
          atMs += hours * 3_600_000
          const draft = isLast === 0 ? closed(account) : entered(account, hours)
          return { ...draft, timestamp: new Date(atMs).toISOString() }
        })
        const events = recorded(...drafts)
        const views = new Map<string, StoredView>()
        for (let at = 0, turn = 0; at < events.length;) {
          const next = at + (cuts[turn++] ?? 30) + 1
          const { changes } = folded(mortal, events.slice(at, next), views)
          for (const change of changes) {
            if (change.json === null) views.delete(change.key)
            else for (const [key, view] of stored(change, next)) views.set(key, view)
          }
          at = next
        }
        const whole = folded(mortal, events).changes.flatMap((change) => [...stored(change)])
        const bare = (all: Iterable<[string, StoredView]>) =>
          new Map([...all].map(([key, view]) => [key, { ...view, revision: 0 }]))
        expect(bare(views)).toEqual(bare(whole))
      }),
    )
  })

  test('ends when the definition no longer declares one', () => {
    const [change] = folded(mortal, recorded(on('01'))).changes
    if (change === undefined) throw new Error('expected a change')
    const { changes } = folded(balances(), recorded(on('02')), stored(change))
    expect(changes[0]).not.toHaveProperty('expiresAtMs')
  })
})
