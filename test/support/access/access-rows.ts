import type { Action } from '#access'

/** What a route touches, by the path parameter that names it. */
export type Kind = 'stream' | 'category' | 'type' | 'projection' | 'installation'

/** One route, and what it needs: written by hand, not derived from the declarations of the routes. */
export interface Row {
  readonly service: 'writer' | 'snapshotter' | 'projector'
  readonly route: string
  /** One of them is enough. Absent: any valid credential. */
  readonly needs?: readonly Action[]
  readonly on?: Kind
  /** A body with which an admitted request changes nothing. */
  readonly body?: object
  readonly isStream?: boolean
  readonly isPublic?: boolean
}

const none = { events: [] }
const past = { untilTime: 'never' }

export const rows: readonly Row[] = [
  { service: 'writer', route: 'POST /streams/:id/events', needs: ['append'], on: 'stream', body: none },
  { service: 'writer', route: 'POST /appends', body: { appends: [{}] } },
  { service: 'writer', route: 'GET /streams/:id', needs: ['read'], on: 'stream' },
  { service: 'writer', route: 'GET /streams/:id/events', needs: ['read'], on: 'stream' },
  { service: 'writer', route: 'GET /streams/:id/load', needs: ['read'], on: 'stream' },
  { service: 'writer', route: 'GET /streams/:id/state', needs: ['state'], on: 'stream' },
  { service: 'writer', route: 'GET /categories/:type/events', needs: ['read'], on: 'category' },
  {
    service: 'writer',
    route: 'GET /categories/:type/subscribe',
    isStream: true,
    needs: ['subscribe'],
    on: 'category',
  },
  { service: 'writer', route: 'GET /owners' },
  { service: 'snapshotter', route: 'POST /streams/:id/snapshot', needs: ['operate'], on: 'stream', body: {} },
  { service: 'snapshotter', route: 'GET /snapshots' },
  {
    service: 'snapshotter',
    route: 'POST /snapshots/:type/rebuild',
    needs: ['operate'],
    on: 'type',
    body: {},
  },
  { service: 'snapshotter', route: 'GET /snapshots/:type/rebuild', needs: ['operate'], on: 'type' },
  {
    service: 'snapshotter',
    route: 'POST /snapshots/:type/cleanup',
    needs: ['operate'],
    on: 'type',
    body: {},
  },
  { service: 'projector', route: 'GET /projections' },
  { service: 'projector', route: 'GET /projections/:name', needs: ['view', 'operate'], on: 'projection' },
  { service: 'projector', route: 'GET /projections/:name/views', needs: ['view'], on: 'projection' },
  { service: 'projector', route: 'GET /projections/:name/views/:key', needs: ['view'], on: 'projection' },
  {
    service: 'projector',
    route: 'GET /projections/:name/subscribe',
    isStream: true,
    needs: ['view'],
    on: 'projection',
  },
  {
    service: 'projector',
    route: 'POST /projections/:name/rebuild',
    body: past,
    needs: ['operate'],
    on: 'projection',
  },
  {
    service: 'projector',
    route: 'POST /projections/:name/resume',
    body: {},
    needs: ['operate'],
    on: 'projection',
  },
  {
    service: 'projector',
    route: 'DELETE /projections/:name/generations/:id',
    needs: ['operate'],
    on: 'projection',
  },
  {
    service: 'projector',
    route: 'GET /projections/:name/dead-letters',
    needs: ['operate'],
    on: 'projection',
  },
  {
    service: 'projector',
    route: 'POST /projections/:name/dead-letters/retry',
    body: { positions: ['x'] },
    needs: ['operate'],
    on: 'projection',
  },
  {
    service: 'projector',
    route: 'POST /projections/:name/dead-letters/drop',
    body: { positions: ['x'] },
    needs: ['operate'],
    on: 'projection',
  },
  ...(['writer', 'snapshotter', 'projector'] as const).flatMap((service): readonly Row[] => [
    { service, route: 'GET /metrics', needs: ['operate'], on: 'installation' },
    { service, route: 'GET /health/live', isPublic: true },
    { service, route: 'GET /health/ready', isPublic: true },
    { service, route: 'GET /openapi.json', isPublic: true },
    { service, route: `GET /peers/${service}`, isPublic: true },
  ]),
]
