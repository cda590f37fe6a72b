import { runInNewContext } from 'node:vm'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { HttpRoute } from '#http'

import { bytesOf, type RawAnswer, sendBytes } from '../../fuzz/raw-http.ts'
import { type AllRoutes, startAllRoutes } from '../../support/http/all-routes.ts'

let server: AllRoutes
let ownHost: string
beforeAll(async () => {
  server = await startAllRoutes({ hosts: ['annals.example:7400', 'lb.example', 'proxy.example:443'] })
  ownHost = new URL(server.url).host
})
afterAll(() => server.app.close())

type Headers = Readonly<Record<string, string>>
type Target = Pick<HttpRoute, 'url'> & { readonly method: string }

/** A raw request: no client would send these headers. */
function send({ method, url }: Target, headers: Headers, body = ''): Promise<RawAnswer> {
  const all = { host: ownHost, 'content-type': 'application/json', ...headers, connection: 'close' }
  const target = url.replaceAll(/:\w+/g, 'order.1').replace('*', 'index.html')
  const length = method === 'GET' ? [] : [['content-length', String(body.length)] as const]
  const written = Object.entries(all).filter(([, value]) => value !== '-')
  return sendBytes(
    server.url,
    bytesOf({ method, target, headers: [...written, ...length], body: Buffer.from(body) }),
  )
}

/** The routes of every server, in addition to those of its services. */
const common = [
  '/health/live',
  '/health/ready',
  '/metrics',
  '/openapi.json',
  '/docs',
  '/docs/json',
  '/nowhere',
]

const targets = (): Target[] => [
  ...common.map((url) => ({ method: 'GET', url })),
  ...server.routes.flatMap(({ method, url }) =>
    [method].flat().flatMap((each) => (each === 'HEAD' ? [] : [{ method: each, url }])),
  ),
]
const isProbe = ({ url }: Target) => url.startsWith('/health/') || url === '/metrics'
const isChange = ({ method }: Target) => method !== 'GET'
const owners: Target = { method: 'GET', url: '/owners' }

const refusal = ({ status, type, body }: RawAnswer) => {
  expect(type).toMatch(/^application\/problem\+json/)
  const problem = JSON.parse(body) as { code: string; status: number; detail: string }
  expect(problem.status).toBe(status)
  expect(problem.detail).not.toBe('')
  return { status, code: problem.code }
}

const foreignHost = { status: 421, code: 'host-not-allowed' }
const foreignOrigin = { status: 403, code: 'origin-not-allowed' }
const notJson = { status: 415, code: 'content-type-not-json' }

describe('every route', () => {
  test('rejects a foreign Host except for probes', async () => {
    expect(targets().length).toBeGreaterThan(25)
    for (const target of targets()) {
      const answer = await send(target, { host: 'rebind.example' })
      if (isProbe(target)) expect(answer.status, target.url).not.toBe(421)
      else expect(refusal(answer), target.url).toEqual(foreignHost)
    }
  })

  test.each<[what: string, headers: Headers]>([
    ['a foreign page', { origin: 'http://rebind.example' }],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }],
    ['a page without an origin', { origin: 'null' }],
    ['an invalid origin', { origin: 'rebind' }],
    ['a page of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['a page of another port by Sec-Fetch-Site', { 'sec-fetch-site': 'same-site' }],
    ['an unknown relation', { 'sec-fetch-site': 'somewhere' }],
    [
      'a foreign origin with an acceptable Sec-Fetch-Site',
      { origin: 'http://localhost', 'sec-fetch-site': 'none' },
    ],
  ])('rejects %s', async (_, headers) => {
    for (const target of targets()) {
      expect(refusal(await send(target, headers)), target.url).toEqual(foreignOrigin)
    }
  })

  test('serves its own pages, typed addresses and programs', async () => {
    for (const target of targets()) {
      for (const headers of [
        {},
        { origin: `http://${ownHost}`, 'sec-fetch-site': 'same-origin' },
        { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' },
      ]) {
        const { status } = await send(target, headers)
        expect([403, 415, 421], `${target.method} ${target.url}`).not.toContain(status)
      }
    }
  })

  test.each<[what: string, type: string]>([
    ['none', '-'],
    ['the type of a form', 'application/x-www-form-urlencoded'],
    ['the type of a form with files', 'multipart/form-data; boundary=x'],
    ['text', 'text/plain'],
    ['text that mentions JSON', 'text/plain; application/json'],
    ['two types', 'text/plain, application/json'],
    ['a similar type', 'application/json-seq'],
  ])(
    'that changes something requires the content type of JSON: %s is rejected, with or without a body',
    async (_, type) => {
      const changes = targets().filter(isChange)
      expect(changes.length).toBeGreaterThan(9)
      for (const target of changes) {
        for (const body of ['', '{}']) {
          expect(refusal(await send(target, { 'content-type': type }, body)), target.url).toEqual(notJson)
        }
      }
    },
  )

  test('that changes something accepts every spelling of the JSON type', async () => {
    for (const target of targets().filter(isChange)) {
      for (const type of ['application/json', 'Application/JSON', 'application/json; charset=utf-8']) {
        for (const body of ['', '{}']) {
          expect((await send(target, { 'content-type': type }, body)).status, target.url).not.toBe(415)
        }
      }
    }
  })
})

describe('the Host', () => {
  test.each([
    ...[
      'localhost',
      'LocalHost:9',
      'localhost.',
      '127.0.0.1:7400',
      '127.1.2.3',
      '[::1]:7400',
      '10.1.2.3:80',
      '[fe80::1]',
    ],
    ...['annals.example', 'annals.example:7400', 'annals.example:1', 'LB.example', 'proxy.example'],
  ])('%s is its own', async (host) => {
    expect((await send(owners, { host })).status).not.toBe(421)
  })

  test.each([
    ...[
      'rebind.example',
      'localhost.rebind.example',
      'x.annals.example',
      'annals.example.rebind.example',
      '127.0.0.1.nip.io',
    ],
    ...[
      'annals',
      'localhost@rebind.example',
      'rebind.example#localhost',
      '[localhost]',
      '::1',
      '127.0.0.1:x',
      '',
    ],
  ])('%j is not', async (host) => {
    expect(refusal(await send(owners, { host }))).toEqual(foreignHost)
  })
})

describe('the Origin', () => {
  test.each<[origin: string, host: string]>([
    ['http://localhost:7400', 'localhost:7400'],
    ['https://lb.example', 'lb.example'],
    ['https://lb.example', 'lb.example:443'],
    ['https://lb.example:8443', '10.0.0.1:7400'],
    ['http://annals.example:7400', '10.0.0.1:7400'],
    ['https://proxy.example:443', 'localhost'],
  ])('%s of a request for %s is its own', async (origin, host) => {
    expect((await send(owners, { origin, host })).status).not.toBe(403)
  })

  test.each<[origin: string, host: string]>([
    ['http://annals.example:1', '10.0.0.1:7400'],
    ['http://10.0.0.1:7400', '10.0.0.2:7400'],
    ['http://localhost:7400', '127.0.0.1:7400'],
    ['file://', 'localhost'],
    ['data:text/html,x', 'localhost'],
  ])('%s of a request for %s is not', async (origin, host) => {
    expect(refusal(await send(owners, { origin, host }))).toEqual(foreignOrigin)
  })
})

describe('the documentation', () => {
  test.each(['/docs', '/docs/', '/docs/static/index.html', '/docs/static/swagger-ui-bundle.js'])(
    '%s runs only its own scripts and cannot be framed',
    async (path) => {
      const response = await fetch(server.url + path)
      expect(response.status).toBe(200)
      expect(await response.text()).not.toBe('')
      const policy = response.headers.get('content-security-policy')
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).toContain("default-src 'none'")
      expect(policy).toMatch(/script-src 'self'(;|$)/)
      expect(response.headers.get('x-frame-options')).toBe('DENY')
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    },
  )

  test('has no inline script or style that the policy would block', async () => {
    const page = await (await fetch(`${server.url}/docs`)).text()
    const scripts = [...page.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)]
    expect(scripts.length).toBeGreaterThan(1)
    for (const [, attributes, code] of scripts) {
      expect(attributes).toMatch(/src="\.\/|src="\/docs/)
      expect(code?.trim()).toBe('')
    }
    expect(page).not.toMatch(/\son\w+=/)
  })

  test('sends changes without a body as JSON', async () => {
    const script = await (await fetch(`${server.url}/docs/static/swagger-initializer.js`)).text()
    const [, code = ''] = /"requestInterceptor":([^]*?)\}\s*const resConfig/.exec(script) ?? []
    const intercept = runInNewContext(`(${code})`) as (request: object) => object
    expect(intercept({ method: 'DELETE', headers: {} })).toEqual({
      method: 'DELETE',
      headers: { 'Content-Type': 'application/json' },
    })
    expect(intercept({ method: 'GET', headers: {} })).toEqual({ method: 'GET', headers: {} })
  })

  test('may be linked from other sites; nothing else may', async () => {
    const link = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    }
    expect((await send({ method: 'GET', url: '/docs' }, link)).status).toBe(200)
    expect(refusal(await send(owners, link))).toEqual(foreignOrigin)
    const framed = { ...link, 'sec-fetch-dest': 'iframe' }
    expect(refusal(await send({ method: 'GET', url: '/docs' }, framed))).toEqual(foreignOrigin)
  })

  test('forbids content sniffing of its responses', async () => {
    const response = await fetch(`${server.url}/openapi.json`)
    expect(await response.json()).toMatchObject({ openapi: '3.1.0' })
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('cross-origin-resource-policy')).toBe('same-origin')
  })
})
