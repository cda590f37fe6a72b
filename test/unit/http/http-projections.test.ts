import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'

import { formatPosition } from '#domain'
import { EventStoreError } from '#event-store'

import { testClient } from '../../support/services/closing.ts'
import { readSome } from '../../support/http/http-call.ts'
import { servedProjections } from '../../support/projections/projections-fixture.ts'

const path = '/projections/customer-lifetime'
const totals = (spend: string) => expect.objectContaining({ spend }) as unknown
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as unknown

describe('a view over HTTP', () => {
  test('is read by a key with any characters', async () => {
    const { buy, call } = await servedProjections()
    for (const key of ['c-1', 'a/b c?d', '€%2F', '...']) {
      buy(key, '19.98')
      const { status, body } = await call('GET', `${path}/views/${encodeURIComponent(key)}`)
      expect({ status, body }).toEqual({
        status: 200,
        body: { key, view: totals('19.98'), changedAt: time },
      })
    }
  })

  test('waits until the event of `after` is applied', async () => {
    const { api, buy, call } = await servedProjections()
    api.held = true
    const after = formatPosition(buy('c-1', '5.00'))
    const behind = await call('GET', `${path}/views/c-1?after=${after}&timeoutMs=20`)
    expect(behind).toMatchObject({ status: 503, body: { code: 'projection-behind' } })
    const waiting = call('GET', `${path}/views/c-1?after=${after}`)
    api.advance()
    expect(await waiting).toMatchObject({ status: 200, body: { view: totals('5.00') } })
  })

  test('of a look at the past is read by the name of its generation', async () => {
    const { buy, call } = await servedProjections()
    buy('c-1', '5.00', '2026-01-01T00:00:00.000Z')
    buy('c-1', '6.00', '2026-02-01T00:00:00.000Z')
    const { status, body } = await call('POST', `${path}/rebuild`, { untilTime: '2026-01-15T00:00:00Z' })
    expect(status).toBe(202)
    const past = `generation=${String(body['generation'])}`
    const spent = async (query: string) => (await call('GET', `${path}/views/c-1${query}`)).body['view']
    expect([await spent(''), await spent(`?${past}`)]).toEqual([totals('11.00'), totals('5.00')])
    expect((await call('GET', `${path}/views?${past}`)).body['views']).toMatchObject([
      { view: totals('5.00') },
    ])
  })

  test.each([
    ['/projections/nothing/views/c-1', 404, 'projection-not-found'],
    [`${path}/views/missing`, 404, 'view-not-found'],
    [`${path}/views/c-1?generation=none`, 404, 'generation-not-found'],
    [`${path}/views/c-1?after=nowhere`, 400, 'invalid-request'],
    [`${path}/views/c-1?timeoutMs=0`, 400, 'invalid-request'],
    [`${path}/views/c-1?timeout=1`, 400, 'invalid-request'],
  ])('that is unavailable gets a problem: %s', async (wrong, status, code) => {
    const { call } = await servedProjections()
    expect(await call('GET', wrong)).toMatchObject({ status, type: /problem\+json/, body: { code } })
  })
})

describe('views over HTTP', () => {
  test('are listed by key, by an index and backwards, page by page', async () => {
    const { buy, call } = await servedProjections()
    for (const [key, amount] of [
      ['a', '5.00'],
      ['b', '30.00'],
      ['c', '7.00'],
    ] as const)
      buy(key, amount)
    const pages = async (query: string): Promise<unknown[]> => {
      const keys: unknown[] = []
      let cursor = ''
      do {
        const { body } = await call('GET', `${path}/views?limit=2${query}${cursor}`)
        const page = body as { views: { key: string }[]; next?: string }
        keys.push(page.views.map(({ key }) => key))
        cursor = page.next === undefined ? '' : `&cursor=${encodeURIComponent(page.next)}`
      } while (cursor !== '')
      return keys
    }
    expect(await pages('')).toEqual([['a', 'b'], ['c']])
    expect(await pages('&desc=true')).toEqual([['c', 'b'], ['a']])
    expect(await pages('&orderBy=spend')).toEqual([['a', 'c'], ['b']])
    expect(await pages('&orderBy=spend&desc=true')).toEqual([['b', 'c'], ['a']])
    expect(await pages('&orderBy=spend&desc=false')).toEqual([['a', 'c'], ['b']])
  })

  test.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=many', 'limit'],
    ['desc=yes', 'desc'],
    ['orderBy=age', 'orderBy'],
    ['cursor=x', 'cursor'],
    ['after=a:b:c', 'position'],
    ['order=spend', 'order'],
  ])('are rejected for %s, with the place', async (query, place) => {
    const { call } = await servedProjections()
    const { status, body } = await call('GET', `${path}/views?${query}`)
    expect({ status, code: body['code'], path: body['path'] }).toEqual({
      status: 400,
      code: 'invalid-request',
      path: place,
    })
  })
})

describe('changes of views over HTTP', () => {
  const frame = (id: number, key: string, spend: string) =>
    new RegExp(
      `id: ${id}\nevent: view\ndata: \{"key":"${key}","view":\{[^}]*"spend":"${spend}"[^}]*\},"changedAt":"[^"]*"\}\n\n`,
    )

  test('come as server-sent events: current views first, then changes', async () => {
    const { buy, url } = await servedProjections()
    buy('c-1', '5.00')
    buy('c-2', '6.00')
    buy('c-1', '5.00')
    const response = await fetch(`${url}${path}/subscribe`)
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const reading = readSome(response, /c-3.*\n\n/)
    buy('c-3', '7.00')
    const text = await reading
    for (const expected of [frame(2, 'c-2', '6.00'), frame(3, 'c-1', '10.00'), frame(4, 'c-3', '7.00')]) {
      expect(text).toMatch(expected)
    }
    expect(text.match(/^id: /gm)).toHaveLength(3)
  })

  test('resume right after Last-Event-ID, which takes precedence over the query', async () => {
    const { buy, url } = await servedProjections()
    for (const key of ['c-1', 'c-2', 'c-3']) buy(key, '5.00')
    const changes = async (query: string, headers = {}) =>
      (await readSome(await fetch(`${url}${path}/subscribe${query}`, { headers }), /c-3.*\n\n/)).match(
        /^id: .*/gm,
      )
    expect(await changes('?cursor=1')).toEqual(['id: 2', 'id: 3'])
    expect(await changes('?cursor=0', { 'last-event-id': '2' })).toEqual(['id: 3'])
    expect(await changes('?fromNow=true', { 'last-event-id': '2' })).toEqual(['id: 3'])
    expect(await changes('?key=c-3')).toEqual(['id: 3'])
  })

  test('from now on start with the cursor, so that a client can resume before the first change', async () => {
    const { buy, url } = await servedProjections()
    buy('c-1', '5.00')
    const response = await fetch(`${url}${path}/subscribe?fromNow=true`)
    const reading = readSome(response, /c-2.*\n\n/)
    buy('c-2', '6.00')
    expect((await reading).replace(/^:\n\n/, '')).toMatch(
      new RegExp(`^id: 1\nevent: start\ndata: \\{\\}\n\n${frame(2, 'c-2', '6.00').source}$`),
    )
  })

  test('report a deleted view as null, and the reason of their end as a problem', async () => {
    const { api, url } = await servedProjections()
    api.updates = async function* () {
      yield await Promise.resolve({
        key: 'c-1',
        view: null,
        changedAt: '2026-01-01T00:00:00.000Z',
        cursor: '7',
      })
      throw new EventStoreError('unavailable', 'the changelog is unavailable')
    }
    const text = await readSome(await fetch(`${url}${path}/subscribe`), /problem/)
    expect(text).toContain(
      'id: 7\nevent: view\ndata: {"key":"c-1","view":null,"changedAt":"2026-01-01T00:00:00.000Z"}\n\n',
    )
    expect(text).toMatch(/event: problem\ndata: .*"code":"unavailable"/)
  })

  test('carry their cursor while only other views change', async () => {
    const { api, url } = await servedProjections()
    const cursors: (string | undefined)[] = []
    api.subscribe = async function* (_name, { cursor }) {
      cursors.push(cursor)
      yield await Promise.resolve({ changes: [], cursor: '4' })
      if (cursor === undefined) throw new EventStoreError('unavailable', 'the changelog is unavailable')
      const change = { key: 'c-1', view: null, changedAt: '2026-01-01T00:00:00.000Z' }
      yield { changes: [{ change, cursor: '5' }], cursor: '5' }
    }
    const text = await readSome(await fetch(`${url}${path}/subscribe?key=c-1`), /problem/)
    expect(text).toContain('id: 4\nevent: progress\ndata: {}\n\n')
    for (let n = 0; n < 4; n++)
      api.append('customer.c-2', 'PurchaseMade', { date: '1997-01-12', cds: 1, amount: '1.00' })
    const progress: string[] = []
    const onProgress = (cursor: string) => void progress.push(cursor)
    const client = testClient({ url, retries: { delayMsMax: 5 } })
    for await (const { cursor } of client
      .projection('customer-lifetime')
      .subscribe({ key: 'c-1', onProgress })) {
      expect(cursor).toBe('5')
      break
    }
    expect(cursors).toEqual([undefined, undefined, '4'])
    expect(progress).toEqual(['4', '4'])
  })

  test.each([
    ['/projections/nothing/subscribe', 404],
    [`${path}/subscribe?fromNow=true&cursor=1`, 400],
    [`${path}/subscribe?fromNow=1`, 400],
    [`${path}/subscribe?cursor=x`, 400],
    [`${path}/subscribe?cursor=99`, 400],
    [`${path}/subscribe?cursor=99&key=c-1`, 400],
  ])('that cannot be followed are rejected with a status: %s', async (wrong, status) => {
    const { call } = await servedProjections()
    expect(await call('GET', wrong)).toMatchObject({ status, type: /problem/ })
  })
})

describe('projections over HTTP', () => {
  test('are described with generations, progress and partitions', async () => {
    const { api, buy, call } = await servedProjections()
    buy('c-1', '5.00')
    api.held = true
    buy('c-1', '6.00')
    await call('POST', `${path}/rebuild`)
    const { body } = await call('GET', path)
    expect(body).toMatchObject({
      name: 'customer-lifetime',
      sources: ['customer'],
      keyedBy: 'stream',
      viewVersion: 1,
    })
    expect(body).toEqual(await api.describe('customer-lifetime'))
    expect(body['generations']).toMatchObject([
      { id: body['serving'], status: 'serving', views: 1, partitions: [{ checkpoint: 1, lag: 1 }] },
      { status: 'building', progress: { done: 0, total: 2 } },
    ])
    expect((await call('GET', '/projections')).body).toEqual({ projections: await api.list() })
  })

  test('are rebuilt: answered 202 with the generation, before it serves', async () => {
    const { api, buy, call } = await servedProjections()
    buy('c-1', '5.00')
    api.held = true
    const { status, body } = await call('POST', `${path}/rebuild`, {})
    expect(status).toBe(202)
    const serving = async () => (await call('GET', path)).body['serving']
    expect(await serving()).not.toBe(body['generation'])
    api.advance()
    expect(await serving()).toBe(body['generation'])
  })

  test('are rebuilt as they were at a position', async () => {
    const { api, buy, call } = await servedProjections()
    const untilPosition = formatPosition(buy('c-1', '5.00'))
    buy('c-1', '6.00')
    const { body } = await call('POST', `${path}/rebuild`, { untilPosition })
    const { generation } = body as { generation: string }
    expect((await api.view('customer-lifetime', 'c-1', { generation })).view).toEqual(totals('5.00'))
    const discarded = await call('DELETE', `${path}/generations/${generation}`)
    expect(discarded).toMatchObject({ status: 204, body: { text: '' } })
    expect((await api.describe('customer-lifetime')).generations).toHaveLength(1)
  })

  test('report where they stopped, and continue when resumed', async () => {
    const { buy, call, repairs } = await servedProjections()
    const position = formatPosition(buy('c-1', '-1.00'))
    const stopped = async () => {
      const { generations } = (await call('GET', '/projections/strict')).body as {
        generations: { partitions: { stopped?: unknown }[] }[]
      }
      return generations[0]?.partitions[0]?.stopped
    }
    expect(await stopped()).toEqual({ position, error: 'amount -1.00 is below zero', since: time })
    repairs.mended = true
    expect((await call('POST', '/projections/strict/resume')).body).toEqual({ resumed: 1 })
    expect(await stopped()).toBeUndefined()
  })

  test.each<['POST' | 'DELETE', string, unknown, number, string]>([
    ['POST', `${path}/rebuild`, { untilTime: '2026-01-01', untilPosition: 'a:0:0' }, 400, 'invalid-request'],
    ['POST', `${path}/rebuild`, { untilTime: 'yesterday' }, 400, 'invalid-request'],
    ['POST', `${path}/rebuild`, { untilPosition: 'a' }, 400, 'invalid-request'],
    ['POST', `${path}/rebuild`, { until: '2026-01-01' }, 400, 'invalid-request'],
    ['POST', '/projections/nothing/rebuild', {}, 404, 'projection-not-found'],
    ['POST', '/projections/nothing/resume', undefined, 404, 'projection-not-found'],
    ['DELETE', `${path}/generations/none`, undefined, 404, 'generation-not-found'],
    ['POST', `${path}/dead-letters/retry`, { positions: ['a'] }, 400, 'invalid-request'],
    ['POST', `${path}/dead-letters/retry`, { positions: [] }, 400, 'invalid-request'],
    ['POST', `${path}/dead-letters/drop`, {}, 400, 'invalid-request'],
    ['POST', `${path}/dead-letters/drop`, undefined, 400, 'invalid-request'],
  ])('reject %s %s with %j', async (method, wrong, body, status, code) => {
    const { call } = await servedProjections()
    expect(await call(method, wrong, body)).toMatchObject({ status, type: /problem/, body: { code } })
  })
})

describe('dead letters over HTTP', () => {
  const letters = '/projections/forgiving/dead-letters'

  test('are listed, retried and dropped', async () => {
    const { buy, call, repairs } = await servedProjections()
    const [first, second, third] = ['-1.00', '-2.00', '-3.00'].map((amount) =>
      formatPosition(buy('c-1', amount)),
    )
    const listed = async (query = '') =>
      ((await call('GET', letters + query)).body['deadLetters'] as { position: string }[]).map(
        ({ position }) => position,
      )
    expect((await call('GET', letters)).body['deadLetters']).toContainEqual({
      position: second,
      error: 'amount -2.00 is below zero',
      at: time,
    })
    expect([await listed(), await listed('?offset=1&limit=1')]).toEqual([[first, second, third], [second]])
    expect((await call('POST', `${letters}/retry`, { positions: [first] })).body).toMatchObject({
      applied: 0,
      failed: [{ position: first, error: 'amount -1.00 is below zero' }],
    })
    expect((await call('POST', `${letters}/drop`, { positions: [second] })).body).toEqual({ dropped: 1 })
    repairs.mended = true
    expect((await call('POST', `${letters}/retry`)).body).toEqual({ applied: 2, failed: [] })
    expect(await listed()).toEqual([])
    expect((await call('GET', '/projections/forgiving/views/c-1')).body['view']).toEqual({ sum: -4 })
  })
})

test('the OpenAPI document is valid and has every route', async () => {
  const { call } = await servedProjections()
  const { body } = await call('GET', '/openapi.json')
  const checked = await new Validator().validate(body)
  expect(checked.errors ?? []).toEqual([])
  expect(checked.valid).toBe(true)
  const routes = Object.entries(body['paths'] as Record<string, object>).flatMap(([route, methods]) =>
    Object.keys(methods).map((method) => `${method} ${route}`),
  )
  expect(routes.filter((route) => route.includes('/projections')).toSorted()).toEqual([
    'delete /projections/{name}/generations/{id}',
    'get /projections',
    'get /projections/{name}',
    'get /projections/{name}/dead-letters',
    'get /projections/{name}/subscribe',
    'get /projections/{name}/views',
    'get /projections/{name}/views/{key}',
    'post /projections/{name}/dead-letters/drop',
    'post /projections/{name}/dead-letters/retry',
    'post /projections/{name}/rebuild',
    'post /projections/{name}/resume',
  ])
})
