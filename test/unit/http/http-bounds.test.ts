import type { TSchema } from '@sinclair/typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { appendsPerRequestMax, eventsPerRequestMax } from '#event-store'
import type { HttpRoute } from '#http'

import { type AllRoutes, startAllRoutes } from '../../support/http/all-routes.ts'
import { callableWriter, callerOf } from '../../support/http/http-call.ts'

const bodyLimitBytes = 8 * 1_048_576
/** CPU time of client and server together, so that stalls of the machine do not count. */
const answerCpuMsMax = 1_000
const answerBytesMax = 5_000

interface Part {
  readonly path: string
  readonly schema: TSchema
}

/** All schemas within a schema with their paths from the root: `appends[].events[].type`. */
function* partsOf(schema: TSchema, path = ''): Generator<Part> {
  yield { path, schema }
  const { properties = {}, items, anyOf = [] } = schema as Partial<Record<string, unknown>>
  for (const [name, part] of Object.entries(properties as object)) {
    yield* partsOf(part as TSchema, path === '' ? name : `${path}.${name}`)
  }
  if (items !== undefined) yield* partsOf(items as TSchema, `${path}[]`)
  for (const part of anyOf as TSchema[]) yield* partsOf(part, path)
}

const placesOf = ({ schema = {} }: HttpRoute) =>
  (['body', 'querystring', 'params', 'headers'] as const).flatMap((place) =>
    schema[place] === undefined
      ? []
      : [...partsOf(schema[place] as TSchema)].map((part) => ({ place, ...part })),
  )

/** Bounded by the bytes of the append, which are counted when it is encoded. */
const isMetadata = (path: string) => path.includes('events[].metadata.')

/** A body with the value in place of an array of its schema. */
function bodyWith(path: string, value: unknown): unknown {
  const [head = '', ...rest] = path.split(/\.|(?=\[\])/)
  if (head === '') return value
  const inner = bodyWith(rest.join('.').replaceAll('.[]', '[]'), value)
  if (head === '[]') return [inner]
  const beside = head === 'events' || head === 'appends' ? { streamId: 'order.1' } : {}
  return path.startsWith('events') ? { ...beside, [head]: inner } : { [head]: inner }
}

describe('every route', () => {
  let server: AllRoutes
  beforeAll(async () => {
    // Rejections come at once, however many there are.
    server = await startAllRoutes({
      bodyLimitBytes,
      refusals: { promptMax: Infinity, heldMs: 0, heldMax: 0 },
    })
  })
  afterAll(() => server.app.close())

  const unbounded = (of: (part: Part & { place: string }) => boolean) =>
    server.routes.flatMap((route) =>
      placesOf(route)
        .filter(of)
        .map(({ place, path }) => `${String(route.method)} ${route.url} ${place} ${path}`),
    )

  test('bounds the number of items in each array', () => {
    expect(
      unbounded(({ schema }) => schema['type'] === 'array' && !(Number(schema['maxItems']) > 0)),
    ).toEqual([])
    expect(server.routes.length).toBeGreaterThan(25)
  })

  test('bounds the length of each text in its body', () => {
    expect(
      unbounded(
        ({ place, path, schema }) =>
          place === 'body' &&
          schema['type'] === 'string' &&
          !isMetadata(path) &&
          !(Number(schema['maxLength']) > 0),
      ),
    ).toEqual([])
  })

  const items: readonly [what: string, text: string][] = [
    ['numbers', '1'],
    ['texts', '"x"'],
    ['nothing', 'null'],
    ['empty objects', '{}'],
    ['empty arrays', '[]'],
    ['members', '{"a":1}'],
    ['nested arrays', `${'['.repeat(60)}1${']'.repeat(60)}`],
  ]

  test.each(items)('rejects an array with too many items quickly and briefly: %s', async (_, text) => {
    const asked: string[] = []
    for (const route of server.routes) {
      if (route.method !== 'POST') continue
      const arrays = placesOf(route).filter(
        ({ place, schema }) => place === 'body' && schema['type'] === 'array',
      )
      for (const { path, schema } of arrays) {
        const most = Math.floor((bodyLimitBytes - 1_000) / (text.length + 1))
        for (const count of [Number(schema['maxItems']) + 1, 200_000, most].filter((each) => each <= most)) {
          const body = JSON.stringify(bodyWith(path, 0)).replace(
            /(?<=[:[])0/,
            () => `[${`${text},`.repeat(count - 1)}${text}]`,
          )
          const what = `${route.url} ${path} ${count} of ${text.slice(0, 9)}`
          const before = process.cpuUsage()
          const answer = await post(server.url, route.url.replaceAll(/:\w+/g, 'order.1'), body)
          expect(othersThanRefusals(answer), what).toEqual([])
          expect(answer.text.length, what).toBeLessThan(answerBytesMax)
          const { user, system } = process.cpuUsage(before)
          expect((user + system) / 1_000, what).toBeLessThan(answerCpuMsMax)
          asked.push(what)
        }
      }
    }
    expect(asked.length).toBeGreaterThan(4)
  })

  test.each([
    ['arrays', '[', ']'],
    ['objects', '{"events":', '}'],
  ])('rejects deeply nested %s, complete or truncated', async (_, open, close) => {
    for (const { method, url } of server.routes) {
      if (method !== 'POST') continue
      for (const levels of [101, 20_000, 700_000]) {
        for (const body of [open.repeat(levels), `${open.repeat(levels)}1${close.repeat(levels)}`]) {
          const answer = await post(server.url, url.replaceAll(/:\w+/g, 'order.1'), body)
          expect([400, 413], `${url} ${levels}`).toContain(answer.status)
          expect(answer.text.length).toBeLessThan(answerBytesMax)
        }
      }
    }
  })

  test('rejects unknown fields in a body', async () => {
    const routes = server.routes.filter(({ method, url }) => method === 'POST' && /snapshot|resume/.test(url))
    expect(routes.length).toBeGreaterThan(3)
    for (const { url } of routes) {
      const path = url.replaceAll(/:\w+/g, 'order.1')
      expect((await post(server.url, path, '{"a":1}')).status, url).toBe(400)
      expect((await post(server.url, path, '[]')).status, url).toBe(400)
      expect((await post(server.url, path, ' '.repeat(2_000))).status, url).toBe(413)
    }
  })
})

/** The responses that are neither a rejection nor, for a request with many appends, their rejections. */
function othersThanRefusals({ status, text }: { status: number; text: string }): number[] {
  const { results } = JSON.parse(text) as { results?: { status: number }[] }
  const statuses = status === 200 && results !== undefined ? results.map((each) => each.status) : [status]
  return statuses.filter((each) => each !== 400 && each !== 413)
}

async function post(url: string, path: string, body: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  return { status: response.status, text: await response.text() }
}

describe('an append', () => {
  const event = { type: 'OrderPlaced', data: {} }
  const events = (count: number) => Array.from({ length: count }, () => event)

  test('with the maximum number of appends and events is accepted; one more is rejected', async () => {
    const { call } = await callableWriter(bodyLimitBytes)
    const appends = (count: number, each: number) =>
      Array.from({ length: count }, (_, index) => ({ streamId: `order.${index}`, events: events(each) }))
    const most = eventsPerRequestMax / appendsPerRequestMax
    const taken = await call('POST', '/appends', { appends: appends(appendsPerRequestMax, most) })
    expect(taken.status).toBe(200)
    for (const refused of [appends(appendsPerRequestMax + 1, 1), [...appends(100, 100), ...appends(1, 1)]]) {
      expect(await call('POST', '/appends', { appends: refused })).toMatchObject({
        status: 413,
        body: { code: 'append-too-large', path: 'appends' },
      })
    }
  })

  test('with too many events does not fail the others of its request', async () => {
    const { call } = await callableWriter(bodyLimitBytes)
    const { body } = await call('POST', '/appends', {
      appends: [
        { streamId: 'order.1', events: [event] },
        { streamId: 'order.2', events: Array.from({ length: 1_001 }, () => 1) },
        { streamId: 'order.3', events: [event] },
      ],
    })
    expect((body['results'] as { status: number }[]).map(({ status }) => status)).toEqual([201, 413, 201])
  })

  test('with long unknown names gets a short answer', async () => {
    const { call } = await callableWriter(bodyLimitBytes)
    const name = 'x'.repeat(2_000_000)
    for (const body of [{ [name]: 1 }, { events: [{ ...event, [name]: 1 }] }, { events: [{ type: name }] }]) {
      const answer = await call('POST', '/streams/order.1/events', body)
      expect(answer.status).toBe(400)
      expect(JSON.stringify(answer.body).length).toBeLessThan(answerBytesMax)
    }
    const answer = await call('GET', `/${'x'.repeat(12_000)}`)
    expect(answer.status).toBe(404)
    expect(JSON.stringify(answer.body).length).toBeLessThan(answerBytesMax)
  })

  test('may nest its data as deeply as a body allows', async () => {
    const { url } = await callableWriter()
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
    const send = (levels: number) =>
      callerOf(url)('POST', '/streams/order.1/events', `{"events":[{"type":"A","data":${nested(levels)}}]}`)
    expect((await send(97)).status).toBe(201)
    expect(await send(98)).toMatchObject({ status: 400, body: { code: 'invalid-request' } })
  })
})
