import type { Action } from '#access'

import { purchase } from '../services/writer-fixture.ts'

/** What a route touches, by the path parameter that names it. */
export type Kind = 'stream' | 'category' | 'type' | 'projection' | 'installation'

/** One route, and what it needs: written by hand, not derived from the declarations of the routes. */
export interface Row {
  readonly service: 'writer' | 'snapshotter' | 'projector'
  readonly route: string
  /** One of them is enough. Absent: any valid credential. */
  readonly needs?: readonly Action[]
  readonly on?: Kind
  /** Statuses for those who are let in, if the resource exists. */
  readonly found: readonly number[]
  /** The same, if it does not exist. */
  readonly absent?: readonly number[]
  /** A body with which an admitted request changes no event, view or generation. */
  readonly body?: (streamId: string) => object
  /** The answer has its own status for the stream. */
  readonly isBatch?: true
  readonly isStream?: true
  /** Without a credential too. One that is sent must be valid. */
  readonly isPublic?: true
}

const ok = [200] as const
const notFound = [404] as const
const conflict = [409] as const
const invalid = [400] as const

/** A version that no stream of the test reaches, so that each admitted append is rejected as a conflict. */
const append = { events: [purchase()], expectedVersion: 999 }
const never = () => ({ untilTime: 'never' })
const nothing = () => ({})
const noPosition = () => ({ positions: ['x'] })

const ofWriter: readonly Omit<Row, 'service'>[] = [
  {
    route: 'POST /streams/:id/events',
    ...{ needs: ['append'], on: 'stream', found: conflict, absent: conflict, body: () => append },
  },
  {
    route: 'POST /appends',
    ...{ needs: ['append'], on: 'stream', found: conflict, absent: conflict, isBatch: true },
    body: (streamId) => ({ appends: [{ streamId, ...append }] }),
  },
  { route: 'GET /streams/:id', needs: ['read'], on: 'stream', found: ok, absent: notFound },
  { route: 'GET /streams/:id/events', needs: ['read'], on: 'stream', found: ok, absent: ok },
  { route: 'GET /streams/:id/load', needs: ['read'], on: 'stream', found: ok, absent: ok },
  { route: 'GET /streams/:id/state', needs: ['state'], on: 'stream', found: ok, absent: notFound },
  { route: 'GET /categories/:type/events', needs: ['read'], on: 'category', found: ok, absent: notFound },
  {
    route: 'GET /categories/:type/subscribe',
    ...{ needs: ['subscribe'], on: 'category', found: ok, absent: notFound, isStream: true },
  },
  { route: 'GET /owners', found: ok },
]

const ofSnapshotter: readonly Omit<Row, 'service'>[] = [
  {
    route: 'POST /streams/:id/snapshot',
    ...{ needs: ['operate'], on: 'stream', found: [200, 201], absent: notFound, body: nothing },
  },
  { route: 'GET /snapshots', found: ok },
  {
    route: 'POST /snapshots/:type/rebuild',
    ...{ needs: ['operate'], on: 'type', found: [202], absent: notFound, body: nothing },
  },
  { route: 'GET /snapshots/:type/rebuild', needs: ['operate'], on: 'type', found: ok, absent: notFound },
  {
    route: 'POST /snapshots/:type/cleanup',
    ...{ needs: ['operate'], on: 'type', found: ok, absent: notFound, body: nothing },
  },
]

const ofProjection = { on: 'projection', absent: notFound } as const
const operating = { ...ofProjection, needs: ['operate'] } as const
const viewing = { ...ofProjection, needs: ['view'] } as const

const ofProjector: readonly Omit<Row, 'service'>[] = [
  { route: 'GET /projections', found: ok },
  { route: 'GET /projections/:name', ...ofProjection, needs: ['view', 'operate'], found: ok },
  { route: 'GET /projections/:name/views', ...viewing, found: ok },
  { route: 'GET /projections/:name/views/:key', ...viewing, found: notFound },
  { route: 'GET /projections/:name/subscribe', ...viewing, found: ok, isStream: true },
  { route: 'POST /projections/:name/rebuild', ...operating, found: invalid, body: never },
  { route: 'POST /projections/:name/resume', ...operating, found: ok, body: nothing },
  { route: 'DELETE /projections/:name/generations/:id', ...operating, found: notFound },
  { route: 'GET /projections/:name/dead-letters', ...operating, found: ok },
  {
    route: 'POST /projections/:name/dead-letters/retry',
    ...{ ...operating, found: invalid, absent: invalid, body: noPosition },
  },
  {
    route: 'POST /projections/:name/dead-letters/drop',
    ...{ ...operating, found: invalid, absent: invalid, body: noPosition },
  },
]

const ofEach = (service: Row['service']): readonly Omit<Row, 'service'>[] => [
  { route: 'GET /metrics', needs: ['operate'], on: 'installation', found: ok },
  ...[
    ...['/health/live', '/health/ready', '/openapi.json', `/peers/${service}`],
    ...['/docs/json', '/docs/yaml'],
  ].map((path) => ({ route: `GET ${path}`, found: ok, isPublic: true as const })),
]

const listed: readonly Row[] = Object.entries({
  writer: ofWriter,
  snapshotter: ofSnapshotter,
  projector: ofProjector,
}).flatMap(([name, own]) => {
  const service = name as Row['service']
  return [...own, ...ofEach(service)].map((row) => ({ ...row, service }))
})

/** Every route. What can be read can be asked for by HEAD too. */
export const rows: readonly Row[] = listed.flatMap((row) =>
  row.route.startsWith('GET ') ? [row, { ...row, route: `HEAD ${row.route.slice(4)}` }] : [row],
)
