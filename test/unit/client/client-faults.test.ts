import { describe, expect, test, vi } from 'vitest'

import type { AppendResult, NewEvent } from '#domain'
import { type AppendRequest, type ErrorCode, EventStoreError } from '#event-store'

import type { HttpWriterOptions } from '../../support/http/http-writer.ts'
import { stubServer } from '../../support/http/stub-server.ts'
import { testClient, testWriter } from '../../support/services/closing.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'

const streamId = 'order.order-42'
const events: NewEvent[] = [
  { type: 'OrderPlaced', data: { n: 1 } },
  { type: 'ItemAdded', data: { n: 2 } },
]

const idsOf = (requests: InMemoryWriter['requests']) =>
  requests.map((request) => request.map((append) => append.events.map(({ id }) => id)))

/** Checks that every request had the same ids, and that the events are in the stream once. */
async function expectOnce(api: InMemoryWriter, result: AppendResult, tries: number): Promise<void> {
  const [first, ...others] = idsOf(api.requests)
  expect(first).toEqual([result.eventIds])
  expect(others).toEqual(Array(tries - 1).fill(first))
  const page = await api.store.read(result.streamId)
  expect(page.events.map(({ id }) => id)).toEqual(result.eventIds)
}

/** A hook that breaks the first `times` responses to appends, after the events were appended. */
const spoilAnswers = (times: number, spoil: (request: { raw: { socket: { destroy(): void } } }) => void) => {
  let left = times
  const options: HttpWriterOptions = {
    prepare: (app) =>
      app.addHook('onSend', (request, _reply, payload, done) => {
        if (request.url === '/appends' && left-- > 0) spoil(request)
        done(null, payload)
      }),
  }
  return options
}

/** A writer that fails with these errors, one per request, before it appends anything. */
class FailingWriter extends InMemoryWriter {
  readonly errors: EventStoreError[]

  constructor(...errors: EventStoreError[]) {
    super()
    this.errors = errors
  }

  override async appendMany(requests: readonly AppendRequest[]) {
    const error = this.errors.shift()
    if (error === undefined) return super.appendMany(requests)
    this.requests.push(requests)
    return requests.map(() => error)
  }
}

const failure = (code: ErrorCode, retryAfterSeconds?: number) =>
  new EventStoreError(code, `it is ${code}`, retryAfterSeconds === undefined ? {} : { retryAfterSeconds })

const rejection = async (promise: Promise<unknown>): Promise<EventStoreError> => {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (outcome instanceof EventStoreError) return outcome
  throw new Error('expected an EventStoreError', { cause: outcome })
}

describe('an append whose outcome is unknown is sent again with the same ids', () => {
  test('when the connection breaks after the writer has appended', async () => {
    const api = new InMemoryWriter()
    const { url } = await testWriter(
      api,
      spoilAnswers(2, (request) => request.raw.socket.destroy()),
    )
    const result = await testClient({ url }).append(streamId, events)
    expect(result).toMatchObject({ firstVersion: 1, lastVersion: 2, duplicate: true })
    await expectOnce(api, result, 3)
  })

  test('when the writer does not answer in time', async () => {
    const api = new InMemoryWriter()
    let hanging = 1
    const { url } = await testWriter(api, {
      prepare: (app) =>
        app.addHook('onSend', async (request) => {
          if (request.url === '/appends' && hanging-- > 0) await new Promise(() => undefined)
        }),
    })
    const result = await testClient({ url, timeoutMs: 2_000 }).append(streamId, events)
    await expectOnce(api, result, 2)
  })

  test('when the client cannot read the response', async () => {
    const bodies: string[] = []
    const url = await stubServer((request, response) => {
      request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()))
      request.on('end', () => response.end('<html>'))
    })
    const client = testClient({ url, direct: false, retries: { triesMax: 3, delayMsMax: 1 } })
    expect((await rejection(client.append(streamId, events))).code).toBe('outcome-unknown')
    expect(bodies).toHaveLength(3)
    expect(new Set(bodies).size).toBe(1)
  })

  test('and is reported as unknown when the tries are exhausted, although the last one was rejected', async () => {
    const api = new FailingWriter(
      failure('outcome-unknown'),
      ...Array<EventStoreError>(9).fill(failure('overloaded')),
    )
    const { url } = await testWriter(api)
    const client = testClient({ url, retries: { triesMax: 4, delayMsMax: 1 } })
    expect((await rejection(client.append(streamId, events))).code).toBe('outcome-unknown')
    expect(api.requests).toHaveLength(4)
  })
})

describe('a writer that is unavailable is retried', () => {
  test.each<ErrorCode>(['overloaded', 'unavailable', 'not-owner', 'outcome-unknown'])(
    'after %s, with the same ids',
    async (code) => {
      const api = new FailingWriter(failure(code), failure(code))
      const { url } = await testWriter(api)
      const result = await testClient({ url }).append(streamId, events)
      expect(result.duplicate).toBe(false)
      await expectOnce(api, result, 3)
    },
  )

  test('not before the time that it requests', async () => {
    const api = new FailingWriter(failure('overloaded', 0.25))
    const { url } = await testWriter(api)
    const startMs = performance.now()
    await testClient({ url }).append(streamId, events)
    expect(performance.now() - startMs).toBeGreaterThan(249)
  })

  test('not before the time that a proxy requests in Retry-After', async () => {
    let requests = 0
    const url = await stubServer((_request, response) => {
      requests += 1
      response.writeHead(503, { 'retry-after': '60' }).end('<html>busy</html>')
    })
    const client = testClient({ url, direct: false, retries: { totalMsMax: 2_000 } })
    const error = await rejection(client.load(streamId))
    expect(error).toMatchObject({ code: 'unavailable', details: { retryAfterSeconds: 60 } })
    expect(requests).toBe(1)
  })

  test('but not beyond the total time', async () => {
    const url = await stubServer((_request, response) => response.writeHead(503).end())
    const startMs = performance.now()
    const retries = { triesMax: 1_000_000, totalMsMax: 300, delayMsMax: 10 }
    expect((await rejection(testClient({ url, retries }).append(streamId, events))).code).toBe('unavailable')
    // A million tries would take an hour.
    expect(performance.now() - startMs).toBeLessThan(20_000)
  })

  test('also for reads', async () => {
    let left = 2
    const api = new InMemoryWriter()
    await api.append('order.1' as AppendRequest['streamId'], events)
    const { url } = await testWriter(api, {
      prepare: (app) =>
        app.addHook('onRequest', (request, _reply, done) => {
          if (request.url.includes('/events') && left-- > 0) request.raw.socket.destroy()
          done()
        }),
    })
    expect((await testClient({ url }).read('order.1')).events).toHaveLength(2)
  })
})

describe('an error that the error table marks as final is not retried', () => {
  const final: ErrorCode[] = [
    ...(['invalid-request', 'invalid-event', 'unknown-event-type', 'append-too-large'] as const),
    ...(['category-not-found', 'wrong-expected-version', 'partial-duplicate', 'internal'] as const),
  ]
  test.each(final)('%s', async (code) => {
    const api = new FailingWriter(failure(code))
    const { url } = await testWriter(api)
    expect((await rejection(testClient({ url }).append(streamId, events))).code).toBe(code)
    expect(api.requests).toHaveLength(1)
    expect((await api.store.load(streamId as AppendRequest['streamId'])).version).toBe(0)
  })
})

describe('an unreachable server', () => {
  test('is reported as unavailable, with its address', async () => {
    const { url, app } = await testWriter(new InMemoryWriter())
    await app.close()
    const client = testClient({ url, retries: { triesMax: 2, delayMsMax: 1 } })
    const error = await rejection(client.append(streamId, events))
    expect(error.code).toBe('unavailable')
    expect(error.message).toContain(`POST ${url}/appends failed: `)
    expect(error.message).toContain('ECONNREFUSED')
  })

  test('does not matter when there is another', async () => {
    const gone = await testWriter(new InMemoryWriter())
    await gone.app.close()
    const api = new InMemoryWriter()
    const { url } = await testWriter(api)
    const client = testClient({ urls: [gone.url, url] })
    const results = await Promise.all([1, 2, 3, 4].map((n) => client.append(`order.${n}`, events)))
    expect(results.map(({ lastVersion }) => lastVersion)).toEqual([2, 2, 2, 2])
  })

  test('is used again when it comes back', async () => {
    const first = await testWriter(new InMemoryWriter())
    await first.app.close()
    const api = new InMemoryWriter()
    const pending = testClient({ url: first.url, retries: { delayMsMax: 20, triesMax: 1_000 } }).append(
      streamId,
      events,
    )
    const second = await testWriter(api, { port: Number(new URL(first.url).port) })
    const result = await pending
    expect(second.url).toBe(first.url)
    await expectOnce(api, result, 1)
  })
})

test('closing waits for requests in flight', async () => {
  const api = new InMemoryWriter()
  const { url } = await testWriter(api)
  const client = testClient({ url })
  const append = client.append(streamId, events)
  await vi.waitFor(() => expect(api.requests).toHaveLength(1), { timeout: 20_000 })
  await client.close()
  await expect(append).resolves.toMatchObject({ lastVersion: 2 })
})
