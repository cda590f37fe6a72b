import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { HttpRoute } from '#http'

import { type AllRoutes, startAllRoutes } from '../../support/http/all-routes.ts'
import { bareServer } from '../../support/http/bare-server.ts'
import { KnownCallers } from '../../support/http/known-callers.ts'

const guard = new KnownCallers({
  all: [{ actions: ['append', 'read', 'subscribe', 'state', 'view', 'operate', 'administer'], on: ['*'] }],
  none: [],
})

let server: AllRoutes
beforeAll(async () => {
  server = await startAllRoutes({ guard, refusals: { promptMax: 10_000, heldMs: 1, heldMax: 1 } })
})
afterAll(() => server.app.close())

interface Target {
  readonly method: string
  readonly url: string
  readonly access: unknown
}

const targets = (): readonly Target[] =>
  server.routes.flatMap(({ method, url, config }: HttpRoute) =>
    [method].flat().map((each) => ({ method: each, url, access: config?.access })),
  )

const call = ({ method, url }: Target, token?: string): Promise<Response> =>
  fetch(server.url + url.replace(':type', 'order').replaceAll(/:\w+/g, 'order.1'), {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(method === 'POST' && { body: '{"appends":[1],"events":[1]}' }),
  })

const isPublic = ({ access }: Target): boolean => access === 'public'

test('every route of every service declares its access', () => {
  expect(targets().length).toBeGreaterThan(35)
  expect(targets().filter(({ access }) => access === undefined)).toEqual([])
})

test('a route without a declaration is not registered', async () => {
  const app = await bareServer()
  expect(() => app.get('/forgotten', () => ({}))).toThrow(
    'GET /forgotten does not declare its access: add config: { access: … } to the route',
  )
})

test('no route of a service is public: only those that every server has', () => {
  expect(targets().filter(isPublic)).toEqual([])
})

describe('every route', () => {
  test('answers 401 without a credential, and with a wrong one', async () => {
    for (const target of targets()) {
      for (const token of [undefined, 'stranger']) {
        const response = await call(target, token)
        expect([target.method, target.url, response.status]).toEqual([target.method, target.url, 401])
        expect(response.headers.get('www-authenticate')).toBe('Bearer realm="annals"')
      }
    }
  })

  test('that names a resource answers 403 to a caller without rights, before anything else', async () => {
    const named = targets().filter(({ access }) => typeof access === 'object' && 'resource' in (access ?? {}))
    expect(named.length).toBeGreaterThan(30)
    for (const target of named) {
      const { status } = await call(target, 'none')
      expect([target.method, target.url, status]).toEqual([target.method, target.url, 403])
    }
  })

  test('lets in a caller with all rights', async () => {
    for (const target of targets()) {
      const { status } = await call(target, 'all')
      expect([target.url, [401, 403].includes(status)]).toEqual([target.url, false])
    }
  })
})
