import { describe, expect, expectTypeOf, test } from 'vitest'

import { EventStoreError } from '#event-store'
import type { ViewUpdate } from '#projections'

import type { Totals } from '../../../examples/customers/totals.ts'
import { testClient } from '../../support/services/closing.ts'
import { cuttingProxy } from '../../support/proxies/cutting-proxy.ts'
import { customerLifetime, servedProjections } from '../../support/projections/projections-fixture.ts'

const name = customerLifetime.name
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `c-${from + index}`)

async function take<Data>(updates: AsyncIterable<ViewUpdate<Data>>, count: number) {
  const taken: ViewUpdate<Data>[] = []
  for await (const update of updates) {
    taken.push(update)
    if (taken.length === count) break
  }
  return taken
}

const keysOf = (views: readonly { readonly key: string }[]): string[] => views.map(({ key }) => key)

describe('views in the client', () => {
  test('are typed by the definition, or by name', async () => {
    const { buy, url } = await servedProjections()
    buy('c-1', '19.98')
    const client = testClient({ url })
    const found = await client.projection(customerLifetime).get('c-1')
    expectTypeOf(found?.view).toEqualTypeOf<Totals | undefined>()
    expect(found).toMatchObject({ key: 'c-1', view: { spend: '19.98', purchases: 1 } })
    const byName = await client.projection<Totals>(name).list({ orderBy: 'spend' })
    expectTypeOf(byName.views[0]?.view).toEqualTypeOf<Totals | undefined>()
    expect(byName.views[0]).toEqual(found)
    expect(await client.projections()).toHaveLength(3)
  })

  test('that do not exist are undefined; a projection that does not exist is an error', async () => {
    const { url } = await servedProjections()
    const client = testClient({ url })
    expect(await client.projection(customerLifetime).get('missing')).toBeUndefined()
    await expect(client.projection('nothing').get('c-1')).rejects.toMatchObject({
      code: 'projection-not-found',
    })
    await expect(client.projection(name).get('c-1', { generation: 'none' })).rejects.toMatchObject({
      code: 'generation-not-found',
    })
  })

  test.each(['a/b c?d#e', '€%2F', '.', '..', ''])('are found by the key %j', async (key) => {
    const { api, url } = await servedProjections()
    const asked: string[] = []
    api.view = (_name, got) => {
      asked.push(got)
      return Promise.resolve({ key: got, view: 1, changedAt: '2026-01-01T00:00:00.000Z' })
    }
    await testClient({ url }).projection(name).get(key)
    expect(asked).toEqual([key])
  })

  test('are returned completely, over as many pages as needed, in the requested order', async () => {
    const { buy, url } = await servedProjections()
    range(1, 9).forEach((key, index) => buy(key, `${index}.00`))
    const lifetime = testClient({ url }).projection(customerLifetime)
    const all = async (query: object) => keysOf(await Array.fromAsync(lifetime.listAll(query)))
    expect(await all({ limit: 2 })).toEqual(range(1, 9))
    expect(await all({ limit: 4, orderBy: 'spend', descending: true })).toEqual(range(1, 9).reverse())
  })

  test('end with an error when the server returns the same next page again', async () => {
    const { api, url } = await servedProjections()
    api.views = () => Promise.resolve({ views: [], next: 'again' })
    await expect(Array.fromAsync(testClient({ url }).projection(name).listAll())).rejects.toMatchObject({
      code: 'internal',
    })
  })

  test('are past views when a generation is given', async () => {
    const { buy, url } = await servedProjections()
    const first = buy('c-1', '5.00')
    buy('c-1', '6.00')
    const lifetime = testClient({ url }).projection(customerLifetime)
    const { generation } = await lifetime.rebuild({ untilPosition: first })
    expect((await lifetime.get('c-1', { generation }))?.view.spend).toBe('5.00')
    expect((await lifetime.get('c-1'))?.view.spend).toBe('11.00')
  })
})

describe('a read with the position of an append returns its changes', () => {
  const countingAsks = async () => {
    const served = await servedProjections()
    served.api.held = true
    const { api } = served
    const counted = { ...served, asked: 0 }
    const view = api.view.bind(api)
    api.view = (...args) => ((counted.asked += 1), view(...args))
    return counted
  }

  test('as soon as it is applied, also when that takes longer than the request timeout', async () => {
    const served = await countingAsks()
    const after = served.buy('c-1', '5.00')
    const client = testClient({ url: served.url, timeoutMs: 50 })
    const waiting = client.projection(customerLifetime).get('c-1', { after })
    await new Promise((resolve) => setTimeout(resolve, 200))
    served.api.advance()
    expect((await waiting)?.view.spend).toBe('5.00')
    expect(served.asked).toBe(1)
  })

  test('and waits no longer than the given timeout', async () => {
    const served = await countingAsks()
    const after = served.buy('c-1', '5.00')
    const lifetime = testClient({ url: served.url }).projection(customerLifetime)
    await expect(lifetime.get('c-1', { after, timeoutMs: 30 })).rejects.toMatchObject({
      code: 'projection-behind',
    })
    await expect(lifetime.list({ after, timeoutMs: 30 })).rejects.toMatchObject({ code: 'projection-behind' })
    expect(served.asked).toBe(1)
  })
})

describe('a subscription to views', () => {
  test('returns current views, then changes, and ends with its signal', async () => {
    const { buy, url } = await servedProjections()
    buy('c-1', '5.00')
    const ending = new AbortController()
    const updates = testClient({ url }).projection(customerLifetime).subscribe({ signal: ending.signal })
    expect((await updates.next()).value).toMatchObject({ key: 'c-1', view: { spend: '5.00' } })
    const next = updates.next()
    buy('c-1', '6.00')
    expect((await next).value).toMatchObject({ key: 'c-1', view: { spend: '11.00' } })
    const last = updates.next()
    ending.abort()
    expect(await last).toEqual({ done: true, value: undefined })
  })

  test('starts after a cursor, and returns a single view if requested', async () => {
    const { buy, url } = await servedProjections()
    range(1, 5).forEach((key) => buy(key, '5.00'))
    const lifetime = testClient({ url }).projection(customerLifetime)
    const [, second] = await take(lifetime.subscribe(), 2)
    expect(keysOf(await take(lifetime.subscribe({ cursor: second?.cursor ?? '' }), 3))).toEqual(range(3, 5))
    expect(keysOf(await take(lifetime.subscribe({ key: 'c-4' }), 1))).toEqual(['c-4'])
  })

  test.each([400, 900, 2_345])(
    'loses nothing when connections are cut after every %i bytes',
    async (bytesMax) => {
      const { buy, url } = await servedProjections()
      const proxy = await cuttingProxy(url, bytesMax)
      range(1, 10).forEach((key) => buy(key, '5.00'))
      const client = testClient({ url: proxy.url, retries: { delayMsMax: 5 } })
      const taking = take(client.projection(customerLifetime).subscribe(), 20)
      range(11, 20).forEach((key) => buy(key, '5.00'))
      expect(keysOf(await taking)).toEqual(range(1, 20))
      expect(proxy.connections()).toBeGreaterThan(1)
    },
  )

  test('with fromNow loses nothing when it breaks before the first change', async () => {
    const { api, buy, url } = await servedProjections()
    buy('c-1', '5.00')
    const real = api.updates.bind(api)
    let opened = 0
    api.updates = async function* (...args) {
      opened += 1
      if (opened === 1) {
        buy('c-2', '6.00')
        throw new EventStoreError('unavailable', 'the changelog is away')
      }
      yield* real(...args)
    }
    const client = testClient({ url, retries: { delayMsMax: 5 } })
    const updates = client.projection(customerLifetime).subscribe({ fromNow: true })
    expect(keysOf(await take(updates, 1))).toEqual(['c-2'])
    expect(opened).toBe(2)
  })

  test('without updates continues however often its connections break', async () => {
    const { api, buy, url } = await servedProjections()
    const real = api.updates.bind(api)
    let opened = 0
    api.updates = (...args) => ((opened += 1), real(...args))
    const retries = { triesMax: 3, totalMsMax: 100, delayMsMax: 20 }
    const client = testClient({ url, silenceMsMax: 50, retries })
    const waiting = take(client.projection(customerLifetime).subscribe(), 1)
    await expect.poll(() => opened, { timeout: 20_000 }).toBeGreaterThan(4)
    buy('c-1', '5.00')
    expect(keysOf(await waiting)).toEqual(['c-1'])
  }, 30_000)

  test('ends when it is rejected', async () => {
    const { url } = await servedProjections()
    const client = testClient({ url })
    const code = async (updates: AsyncGenerator) =>
      updates.next().catch((error: unknown) => (error as EventStoreError).code)
    expect(await code(client.projection('nothing').subscribe())).toBe('projection-not-found')
    expect(await code(client.projection(name).subscribe({ cursor: 'x' }))).toBe('invalid-request')
  })
})

describe('operating projections with the client', () => {
  test('rebuilds, discards and resumes', async () => {
    const { api, buy, repairs, url } = await servedProjections()
    const client = testClient({ url })
    buy('c-1', '-5.00')
    const lifetime = client.projection(customerLifetime)
    const { generation } = await lifetime.rebuild()
    expect((await lifetime.describe()).serving).toBe(generation)
    const past = await lifetime.rebuild({ untilTime: '2026-01-01' })
    expect((await lifetime.describe()).generations).toHaveLength(2)
    await lifetime.discard(past.generation)
    expect((await api.describe(name)).generations).toHaveLength(1)
    repairs.mended = true
    expect(await client.projection('strict').resume()).toEqual({ resumed: 1 })
  })

  test('lists, retries and drops dead letters', async () => {
    const { buy, repairs, url } = await servedProjections()
    const positions = ['-1.00', '-2.00', '-3.00'].map((amount) => buy('c-1', amount))
    const forgiving = testClient({ url }).projection<{ sum: number }>('forgiving')
    expect(await forgiving.deadLetters({ offset: 1 })).toHaveLength(2)
    expect(await forgiving.dropDeadLetters(positions.slice(2))).toEqual({ dropped: 1 })
    repairs.mended = true
    expect(await forgiving.retryDeadLetters(positions.slice(0, 1))).toEqual({ applied: 1, failed: [] })
    expect(await forgiving.retryDeadLetters()).toEqual({ applied: 1, failed: [] })
    expect((await forgiving.get('c-1'))?.view.sum).toBe(-3)
  })

  test('starts only one rebuild, although its response is lost', async () => {
    const { api, url } = await servedProjections({
      prepare: (app) =>
        app.addHook('onSend', (request, _reply, payload, done) => {
          if (request.url.endsWith('/rebuild')) request.raw.socket.destroy()
          done(null, payload)
        }),
    })
    api.held = true
    let begun = 0
    const rebuild = api.rebuild.bind(api)
    api.rebuild = (...args) => ((begun += 1), rebuild(...args))
    const lost = testClient({ url }).projection(name).rebuild()
    await expect(lost).rejects.toMatchObject({ code: 'outcome-unknown' })
    expect(begun).toBe(1)
  })
})

describe('projectors', () => {
  test('are called at the configured URLs, and the next one when one is down', async () => {
    const { buy, url } = await servedProjections()
    buy('c-1', '5.00')
    const nowhere = 'http://127.0.0.1:1'
    const client = testClient({ url: nowhere, projectionUrls: [nowhere, url] })
    const lifetime = client.projection(customerLifetime)
    for (let n = 0; n < 4; n += 1) expect((await lifetime.get('c-1'))?.key).toBe('c-1')
  })

  test('that are unavailable are retried', async () => {
    const { api, buy, url } = await servedProjections()
    buy('c-1', '5.00')
    const view = api.view.bind(api)
    let left = 2
    api.view = (...args) =>
      left-- > 0 ? Promise.reject(new EventStoreError('unavailable', 'Redis is away')) : view(...args)
    expect((await testClient({ url }).projection(name).get('c-1'))?.key).toBe('c-1')
  })

  test('that stay unreachable are reported with their address', async () => {
    const client = testClient({ url: 'http://127.0.0.1:1', retries: { triesMax: 2, delayMsMax: 1 } })
    await expect(client.projections()).rejects.toThrow(/GET http:\/\/127\.0\.0\.1:1\/projections failed/)
  })

  test('must not have a malformed URL', () => {
    expect(() => testClient({ url: 'http://127.0.0.1:1', projectionUrls: ['nowhere'] })).toThrow(/malformed/)
  })
})
