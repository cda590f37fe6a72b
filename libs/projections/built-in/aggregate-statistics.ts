import { aggregateTypeOf, defineProjection, type DomainEvent, type Projection } from '#domain'

import { countedByType, type CountsByType } from './count-by-type.ts'

/** How many aggregates of a type there are, and what happened to them. */
export interface AggregateStatistics {
  readonly streams: number
  readonly events: number
  /** Rounded to two decimals. */
  readonly eventsPerStream: number
  readonly byType: CountsByType
  /** Timestamp of the earliest event: ISO 8601. */
  readonly firstActivity: string
  /** Timestamp of the latest event. */
  readonly lastActivity: string
}

const nothingYet: AggregateStatistics = {
  streams: 0,
  events: 0,
  eventsPerStream: 0,
  byType: {},
  firstActivity: '',
  lastActivity: '',
}

/** Figures by aggregate type, which is the view's key. A stream counts from its first event on. */
export const aggregateStatistics = (aggregateTypes: readonly string[]): Projection<AggregateStatistics> =>
  defineProjection<AggregateStatistics, DomainEvent>({
    name: 'aggregate-statistics',
    source: aggregateTypes,
    keyedBy: 'across',
    key: ({ streamId }) => aggregateTypeOf(streamId),
    initialView: nothingYet,
    on: {},
    onUnknown: (view, { type, version, timestamp }) => {
      const streams = view.streams + (version === 1 ? 1 : 0)
      const events = view.events + 1
      return {
        streams,
        events,
        eventsPerStream: streams === 0 ? 0 : Math.round((events / streams) * 100) / 100,
        byType: countedByType(view.byType, type),
        firstActivity: view.events === 0 ? timestamp : earlier(view.firstActivity, timestamp),
        lastActivity: later(view.lastActivity, timestamp),
      }
    },
    indexes: {
      streams: (view) => view.streams,
      events: (view) => view.events,
      lastActivity: (view) => Date.parse(view.lastActivity),
    },
  })

// Timestamps have one form, so they sort as text. Events of different partitions arrive in any order of time.
const earlier = (a: string, b: string): string => (a < b ? a : b)
const later = (a: string, b: string): string => (a > b ? a : b)
