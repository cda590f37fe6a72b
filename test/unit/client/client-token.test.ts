import { inspect } from 'node:util'

import { describe, expect, test } from 'vitest'

import type { ClientOptions } from '#client'
import { EventStoreError } from '#event-store'

import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'
import { stubServer } from '../../support/http/stub-server.ts'
import { testClient, testWriter } from '../../support/services/closing.ts'

const events = [{ type: 'ItemAdded', data: { n: 1 } }]
const secret = 'annals_abcdefghij234567_c2VjcmV0'

/** A writer that remembers the `authorization` of each request. */
async function writer() {
  const seen: (string | undefined)[] = []
  const { url } = await testWriter(new InMemoryWriter(), {
    prepare: (app) =>
      app.addHook('onRequest', ({ headers }, _reply, done) => {
        seen.push(headers.authorization)
        done()
      }),
  })
  return { url, seen }
}

const failureOf = async (work: Promise<unknown>): Promise<EventStoreError> => {
  const outcome = await work.catch((error: unknown) => error)
  if (outcome instanceof EventStoreError) return outcome
  throw new Error('expected an EventStoreError', { cause: outcome })
}

describe('a token', () => {
  test('is sent with every request', async () => {
    const { url, seen } = await writer()
    const client = testClient({ url, token: secret })
    await client.append('order.1', events)
    await client.read('order.1')
    await client.owners()
    await client.projections().catch(() => undefined)
    const stream = client.subscribe('order')
    await stream.next()
    await stream.return(undefined)
    expect(seen.length).toBeGreaterThanOrEqual(5)
    expect(new Set(seen)).toEqual(new Set([`Bearer ${secret}`]))
  })

  test('from a function is the current one', async () => {
    const { url, seen } = await writer()
    let calls = 0
    const client = testClient({ url, direct: false, token: () => Promise.resolve(`token-${++calls}`) })
    await client.append('order.1', events)
    await client.append('order.1', events)
    expect(seen).toEqual(['Bearer token-1', 'Bearer token-2'])
  })

  test('is obtained again for a retry when its function fails', async () => {
    const { url, seen } = await writer()
    let calls = 0
    const token = () => {
      if (++calls === 1) throw new Error('the issuer is away')
      return secret
    }
    await testClient({ url, direct: false, token }).append('order.1', events)
    expect(seen).toEqual([`Bearer ${secret}`])
  })

  test('that is never obtained fails the request within its time limit: nothing was sent', async () => {
    const { url, seen } = await writer()
    const token = () => new Promise<string>(() => undefined)
    const client = testClient({ url, direct: false, token, timeoutMs: 50, retries: { triesMax: 1 } })
    expect(await failureOf(client.append('order.1', events))).toMatchObject({
      code: 'unavailable',
      message: 'the function token took more than 50 ms',
    })
    expect(seen).toEqual([])
  })

  test.each(['', 'two words', `${secret}\n`, 'a\r\nhost: b', 'ü'])('%j is malformed', async (token) => {
    expect(() => testClient({ url: 'http://127.0.0.1', token })).toThrow(
      /token is empty, or contains white space/,
    )
    const client = testClient({ url: 'http://127.0.0.1:9', direct: false, token: () => token })
    const error = await failureOf(client.append('order.1', events))
    expect(error.code).toBe('unauthenticated')
    if (token !== '') expect(error.message).not.toContain(token)
  })

  test('and an authorization header are one credential too many', () => {
    const headers = { Authorization: 'Basic x' }
    expect(() => testClient({ url: 'http://127.0.0.1', token: secret, headers })).toThrow(/omit one/)
  })
})

describe('over plain HTTP', () => {
  const refused = /must not be sent to http:\/\/writer-1:7400, because anyone on the way could read it/

  test.each<[string, Partial<ClientOptions>]>([
    ['a token', { url: 'http://writer-1:7400', token: secret }],
    ['the token of a function', { url: 'http://writer-1:7400', token: () => secret }],
    [
      'an authorization header',
      { url: 'http://writer-1:7400', headers: { AUTHORIZATION: `Bearer ${secret}` } },
    ],
    ['a token, to one of several writers,', { urls: ['https://a', 'http://writer-1:7400'], token: secret }],
    [
      'a token, to a projector,',
      { url: 'https://a', projectionUrls: ['http://writer-1:7400'], token: secret },
    ],
  ])('%s is not sent to another machine', (_, options) => {
    expect(() => testClient(options)).toThrow(refused)
  })

  test.each([
    'http://127.0.0.1:1',
    'http://127.1.2.3:1',
    'http://localhost:1',
    'http://[::1]:1',
    'https://a',
  ])('a token may be sent to %s', (url) => {
    expect(() => testClient({ url, token: secret })).not.toThrow()
  })

  test('nor is anything refused without a token, or with allowPlainHttp', () => {
    expect(() => testClient({ url: 'http://writer-1:7400' })).not.toThrow()
    expect(() =>
      testClient({ url: 'http://writer-1:7400', token: secret, allowPlainHttp: true }),
    ).not.toThrow()
  })
})

describe('a rejection without a document', () => {
  test.each([
    [401, 'unauthenticated'],
    [403, 'forbidden'],
  ] as const)('with status %i is %s, and is not repeated', async (status, code) => {
    let requests = 0
    const url = await stubServer((request, response) => {
      requests++
      request.resume()
      response.writeHead(status).end('<html>')
    })
    const client = testClient({ url, direct: false, token: secret })
    const error = await failureOf(client.append('order.1', events))
    expect(error.code).toBe(code)
    expect(requests).toBe(1)
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(secret)
  })

  test('with status 429 is repeated after the requested time', async () => {
    const times: number[] = []
    const url = await stubServer((request, response) => {
      times.push(performance.now())
      request.resume()
      if (times.length === 1) response.writeHead(429, { 'retry-after': '1' }).end()
      else response.end('{"partitions":[]}')
    })
    const client = testClient({ url, direct: false, token: secret })
    expect(await client.owners()).toEqual([])
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(950)
    const impatient = testClient({ url, direct: false, retries: { totalMsMax: 500 } })
    times.length = 0
    expect(await failureOf(impatient.owners())).toMatchObject({ code: 'limit-exceeded' })
  })
})

test('a client shows its token to nobody', () => {
  const client = testClient({ url: 'http://127.0.0.1:1', token: secret })
  expect(inspect(client, { depth: 20, showHidden: true })).not.toContain(secret)
  expect(JSON.stringify(client)).not.toContain(secret)
})
