import { aggregateTypeOf, defineProjection, type DomainEvent, type Projection } from '#domain'

import { countedByType, type CountsByType } from './count-by-type.ts'

/** What happened to the aggregates of a type within an hour. */
export interface EventTimeline {
  readonly aggregateType: string
  /** When the hour began: ISO 8601, UTC. */
  readonly hour: string
  readonly events: number
  readonly byType: CountsByType
}

const hourLength = 'YYYY-MM-DDTHH'.length

/** Events by aggregate type and hour; a view's key is `<aggregateType>/<YYYY-MM-DDTHH>`. */
export const eventTimeline = (aggregateTypes: readonly string[]): Projection<EventTimeline> =>
  defineProjection<EventTimeline, DomainEvent>({
    name: 'event-timeline',
    source: aggregateTypes,
    keyedBy: 'across',
    key: ({ streamId, timestamp }) => `${aggregateTypeOf(streamId)}/${timestamp.slice(0, hourLength)}`,
    initialView: { aggregateType: '', hour: '', events: 0, byType: {} },
    on: {},
    onUnknown: (view, { streamId, timestamp, type }) => ({
      aggregateType: aggregateTypeOf(streamId),
      hour: `${timestamp.slice(0, hourLength)}:00:00.000Z`,
      events: view.events + 1,
      byType: countedByType(view.byType, type),
    }),
    indexes: { hour: (view) => Date.parse(view.hour), events: (view) => view.events },
  })
