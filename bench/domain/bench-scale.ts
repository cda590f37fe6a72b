import { defineDomain, defineProjection } from '#domain'

import { type Appended, benchAggregate } from './domain.ts'

const type = 'bench-scale'
/** The views are few, so that their number does not grow with the streams. */
const groups = 64

/** Counts events in groups of streams. */
const benchGroups = defineProjection<{ readonly events: number }, Appended>({
  name: 'bench-groups',
  source: type,
  keyedBy: 'across',
  key: ({ streamId }) => `group-${Number(streamId.slice(type.length + 1)) % groups}`,
  initialView: { events: 0 },
  on: { Appended: ({ events }) => ({ events: events + 1 }) },
})

export default defineDomain({ aggregates: [benchAggregate(type)], projections: [benchGroups] })
