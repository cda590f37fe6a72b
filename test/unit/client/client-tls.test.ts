import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import type { ClientOptions } from '#client'
import { EventStoreError } from '#event-store'
import { clientCertificateOf } from '#http'

import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'
import { testClient, testWriter } from '../../support/services/closing.ts'
import { CertificateAuthority, type Certified, writeCertified } from '../../support/tls/certificates.ts'
import { temporaryFolder } from '../../support/tls/tls-server.ts'

let authority: CertificateAuthority
let foreign: CertificateAuthority
let certified: Certified
beforeAll(async () => {
  authority = await CertificateAuthority.create()
  foreign = await CertificateAuthority.create()
  certified = await authority.server()
})

const events = [{ type: 'ItemAdded', data: { n: 1 } }]
const once = { triesMax: 1 }

/** A writer with TLS that remembers the client certificate of each request. */
async function tlsWriter() {
  const folder = await temporaryFolder()
  const files = await writeCertified(folder, 'server', certified)
  const { certFile: clientCaFile } = await writeCertified(folder, 'ca', { cert: authority.cert, key: '' })
  const seen: unknown[] = []
  const { url } = await testWriter(new InMemoryWriter(), {
    tls: { ...files, clientCaFile },
    prepare: (app) =>
      app.addHook('onRequest', (request, _reply, done) => {
        seen.push(clientCertificateOf(request))
        done()
      }),
  })
  return { url, seen }
}

/** A server with any certificate, also one with which a service would not start. */
async function serverWith({ cert, key }: Certified, host = '127.0.0.1'): Promise<string> {
  const server = createServer({ cert, key }, (_, response) => response.end('{}'))
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `https://${host}:${(server.address() as AddressInfo).port}`
}

const failureOf = async (options: ClientOptions): Promise<EventStoreError> => {
  const client = testClient({ direct: false, retries: once, ...options })
  const outcome = await client.append('order.1', events).catch((error: unknown) => error)
  if (outcome instanceof EventStoreError) return outcome
  throw new Error('expected an EventStoreError', { cause: outcome })
}

describe('over TLS', () => {
  test('appends, reads and subscribes with the certificate of the authority', async () => {
    const { url, seen } = await tlsWriter()
    expect(url).toMatch(/^https:/)
    const client = testClient({ url, tls: { ca: authority.cert } })
    await client.append('order.1', events)
    expect((await client.read('order.1')).events).toHaveLength(1)
    const stream = client.subscribe('order')
    expect((await stream.next()).value).toMatchObject({ event: { streamId: 'order.1' } })
    await stream.return(undefined)
    expect(seen.every((certificate) => certificate === undefined)).toBe(true)
  })

  test('presents its client certificate', async () => {
    const { url, seen } = await tlsWriter()
    const client = testClient({
      url,
      tls: { ca: Buffer.from(authority.cert), ...(await authority.client('ada')) },
    })
    await client.append('order.1', events)
    expect(seen).toContainEqual(expect.objectContaining({ commonName: 'ada' }))
  })

  test.each<[string, RegExp, () => Promise<ClientOptions>]>([
    [
      'a server of a foreign authority',
      /not signed by an authority that this client trusts: give the certificate of the authority/,
      async () => ({ url: await serverWith(await foreign.server()), tls: { ca: authority.cert } }),
    ],
    [
      'a server of an own authority, which it does not know',
      /not signed by an authority/,
      async () => ({ url: await serverWith(certified) }),
    ],
    [
      'a server with an expired certificate',
      /its certificate has expired/,
      async () => {
        const period = { validFrom: new Date(Date.now() - 9e6), validUntil: new Date(Date.now() - 6e6) }
        return { url: await serverWith(await authority.server(period)), tls: { ca: authority.cert } }
      },
    ],
    [
      'a server at another name',
      /for other names than the one in the URL/,
      async () => {
        const other = await authority.server({ names: ['writer-1.test'] })
        return { url: await serverWith(other), tls: { ca: authority.cert } }
      },
    ],
    [
      'a server without TLS',
      /it does not speak TLS/,
      async () => {
        const { url } = await testWriter(new InMemoryWriter())
        return { url: url.replace('http:', 'https:') }
      },
    ],
  ])('%s is not reached: nothing was sent', async (_, message, options) => {
    const error = await failureOf({ ...(await options()), token: 'annals_secret' })
    expect(error.code).toBe('unavailable')
    expect(error.message).toMatch(message)
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('annals_secret')
  })

  test('a server with TLS tells a client without it', async () => {
    const { url } = await tlsWriter()
    const error = await failureOf({ url: url.replace('https:', 'http:') })
    expect(error).toMatchObject({
      code: 'invalid-request',
      message: expect.stringMatching(/HTTPS only/) as unknown,
    })
  })

  test('nothing was sent either when the server closes during the handshake', async () => {
    const { url } = await testWriter(new InMemoryWriter(), { connectionsMax: 0 })
    expect((await failureOf({ url: url.replace('http:', 'https:') })).code).toBe('unavailable')
  })
})

test.each<[string, (own: Certified) => ClientOptions['tls'], RegExp]>([
  ['a certificate without its key', ({ cert }) => ({ cert }), /has only one of cert and key/],
  ['a key without a certificate', ({ key }) => ({ key }), /has only one of cert and key/],
  ['another text than a certificate', ({ key }) => ({ ca: key }), /tls\.ca has no certificate/],
  ['a damaged key', ({ cert }) => ({ cert, key: '-----BEGIN PRIVATE KEY-----' }), /tls cannot be used/],
])('the option tls with %s is rejected', (_, tls, message) => {
  expect(() => testClient({ url: 'https://a', tls: tls(certified) ?? {} })).toThrow(message)
})
