import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  aggregateTypeOf,
  defineAggregate,
  defineDomain,
  defineProjection,
  type DomainEvent,
  project,
  type Projection,
  type RecordedEvent,
} from '#domain'
import { recordEvents } from '#domain/testing'

import { builtInProjections, withBuiltIns } from './built-in-projections.ts'

const types = ['order', 'customer']
const viewsOf = (name: string, events: readonly RecordedEvent[]): Record<string, unknown> =>
  Object.fromEntries(project(only(name), new Map<string, unknown>(), events))

function only(name: string): Projection {
  const [projection, ...others] = builtInProjections([name], types)
  if (projection === undefined || others.length > 0) throw new Error(`expected one projection ${name}`)
  return projection
}

const happened = (streamId: string, timestamp: string, ...eventTypes: string[]): readonly RecordedEvent[] =>
  recordEvents(
    streamId,
    eventTypes.map((type): DomainEvent => ({ type, data: null })),
    { timestamp },
  )

const events = [
  ...happened('order.1', '2026-03-01T09:59:59.000Z', 'Placed', 'Paid'),
  ...happened('order.a.b', '2026-03-01T09:00:00.000Z', 'Placed'),
  ...happened('customer.1', '2026-03-01T09:30:00.000Z', 'Placed'),
  ...happened('parcel.1', '2026-03-01T09:30:00.000Z', 'Sent'),
]

describe('the event timeline', () => {
  test('counts the events of each aggregate type by hour and event type', () => {
    expect(viewsOf('event-timeline', events)).toEqual({
      'order/2026-03-01T09': {
        aggregateType: 'order',
        hour: '2026-03-01T09:00:00.000Z',
        events: 2,
        byType: { Placed: 2 },
      },
      'order/2026-03-01T10': {
        aggregateType: 'order',
        hour: '2026-03-01T10:00:00.000Z',
        events: 1,
        byType: { Paid: 1 },
      },
      'customer/2026-03-01T09': {
        aggregateType: 'customer',
        hour: '2026-03-01T09:00:00.000Z',
        events: 1,
        byType: { Placed: 1 },
      },
    })
  })

  test('is sorted by hour and by number of events', () => {
    const view = viewsOf('event-timeline', events)['order/2026-03-01T09']
    expect(only('event-timeline').indexValues(view)).toEqual({ hour: Date.UTC(2026, 2, 1, 9), events: 2 })
  })
})

describe('the aggregate statistics', () => {
  test('count the streams and events of each aggregate type', () => {
    expect(viewsOf('aggregate-statistics', events)).toEqual({
      order: {
        streams: 2,
        events: 3,
        eventsPerStream: 1.5,
        byType: { Placed: 2, Paid: 1 },
        firstActivity: '2026-03-01T09:00:00.000Z',
        lastActivity: '2026-03-01T10:00:00.000Z',
      },
      customer: {
        streams: 1,
        events: 1,
        eventsPerStream: 1,
        byType: { Placed: 1 },
        firstActivity: '2026-03-01T09:30:00.000Z',
        lastActivity: '2026-03-01T09:30:00.000Z',
      },
    })
  })

  test('round events per stream to two decimals and do not divide by zero', () => {
    const three = [
      ...happened('order.1', '2026-03-01T09:00:00.000Z', 'Placed', 'Paid'),
      ...happened('order.2', '2026-03-01T09:00:00.000Z', 'Placed'),
      ...happened('order.3', '2026-03-01T09:00:00.000Z', 'Placed', 'Paid'),
    ]
    expect(viewsOf('aggregate-statistics', three)['order']).toMatchObject({ eventsPerStream: 1.67 })
    expect(viewsOf('aggregate-statistics', three.slice(1, 2))['order']).toMatchObject({
      streams: 0,
      eventsPerStream: 0,
    })
  })

  test('are sorted by streams, events and last activity', () => {
    const view = viewsOf('aggregate-statistics', events)['order']
    expect(only('aggregate-statistics').indexValues(view)).toEqual({
      streams: 2,
      events: 3,
      lastActivity: Date.UTC(2026, 2, 1, 10),
    })
  })
})

const eventTypes = fc.constantFrom('Placed', 'Paid', 'constructor', '__proto__', 'toString')
const streams = fc.uniqueArray(
  fc.record({
    type: fc.constantFrom(...types),
    id: fc.nat(50),
    hours: fc.nat(30),
    eventTypes: fc.array(eventTypes, { minLength: 1, maxLength: 6 }),
  }),
  { maxLength: 12, selector: ({ type, id }) => `${type}.${id}` },
)
const timestampOf = (hours: number): string =>
  new Date(Date.UTC(2026, 0, 1) + hours * 1_799_500).toISOString()

/** Events in an order in which partitions may be read: each stream in order, streams interleaved at random. */
const histories = fc.tuple(streams, fc.infiniteStream(fc.nat())).map(([made, picks]) => {
  const open = made.map(({ type, id, hours, eventTypes: own }) => [
    ...happened(`${type}.${id}`, timestampOf(hours), ...own),
  ])
  const mixed: RecordedEvent[] = []
  while (open.some((stream) => stream.length > 0)) {
    const left = open.filter((stream) => stream.length > 0)
    const next = left[(picks.next().value ?? 0) % left.length]?.shift()
    if (next !== undefined) mixed.push(next)
  }
  return mixed
})

const countedBy = (group: readonly RecordedEvent[]): unknown =>
  Object.fromEntries([...Map.groupBy(group, ({ type }) => type)].map(([type, { length }]) => [type, length]))

/** Serializes the views to JSON between any two events, as a store does. */
function projectStored(projection: Projection, history: readonly RecordedEvent[]): Map<string, unknown> {
  let views = new Map<string, unknown>()
  for (const event of history) {
    const stored = [...views].map(([key, view]): [string, unknown] => [key, JSON.parse(JSON.stringify(view))])
    views = project(projection, new Map(stored), [event])
  }
  return views
}

test('views equal a plain count, in any order of reading partitions', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const byType = Map.groupBy(history, ({ streamId }) => aggregateTypeOf(streamId))
      const statistics = projectStored(only('aggregate-statistics'), history)
      expect(new Set(statistics.keys())).toEqual(new Set(byType.keys()))
      for (const [type, group] of byType) {
        const streamCount = new Set(group.map(({ streamId }) => streamId)).size
        const times = group.map(({ timestamp }) => timestamp).sort()
        expect(statistics.get(type)).toEqual({
          streams: streamCount,
          events: group.length,
          eventsPerStream: Number((group.length / streamCount + 1e-9).toFixed(2)),
          byType: countedBy(group),
          firstActivity: times.at(0),
          lastActivity: times.at(-1),
        })
      }
      const byHour = Map.groupBy(
        history,
        ({ streamId, timestamp }) =>
          `${aggregateTypeOf(streamId)}/${new Date(timestamp).toISOString().slice(0, 13)}`,
      )
      const timeline = projectStored(only('event-timeline'), history)
      expect(new Set(timeline.keys())).toEqual(new Set(byHour.keys()))
      for (const [key, group] of byHour) {
        expect(timeline.get(key)).toMatchObject({ events: group.length, byType: countedBy(group) })
      }
    }),
  )
})

describe('a domain with built-in projections', () => {
  const aggregates = types.map((type) => defineAggregate<null, DomainEvent>({ type, initialState: null, evolve: {} })) // prettier-ignore
  const named = (name: string) =>
    defineProjection<number, DomainEvent>({
      name,
      source: 'order',
      keyedBy: 'stream',
      initialView: 0,
      on: {},
    })

  test('lists them after its own, over all of its aggregates, each once', () => {
    const domain = defineDomain({ aggregates, projections: [named('totals')] })
    const whole = withBuiltIns(domain, ['aggregate-statistics', 'event-timeline', 'event-timeline'])
    expect(whole.projections.map(({ name, sources }) => [name, sources])).toEqual([
      ['totals', ['order']],
      ['aggregate-statistics', types],
      ['event-timeline', types],
    ])
    expect(defineDomain(whole)).toEqual(whole)
    expect(withBuiltIns(domain, [])).toEqual(domain)
  })

  test('rejects a projection with the name of a built-in one, unless that one is off', () => {
    const domain = defineDomain({ aggregates, projections: [named('event-timeline')] })
    expect(withBuiltIns(domain, ['aggregate-statistics']).projections).toHaveLength(2)
    expect(() => withBuiltIns(domain, ['event-timeline'])).toThrow(
      'projection event-timeline of the domain has the name of a built-in projection',
    )
  })

  test('rejects unknown names', () => {
    expect(() => builtInProjections(['timeline'], types)).toThrow(
      'unknown built-in projection "timeline": expected one of event-timeline, aggregate-statistics',
    )
  })
})
