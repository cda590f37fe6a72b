import { once } from 'node:events'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request as plainRequest } from 'node:http'
import { Agent, request, type RequestOptions } from 'node:https'
import { connect as connectPlain, type Socket } from 'node:net'
import { checkServerIdentity, connect } from 'node:tls'

import { afterEach, beforeAll, describe, expect, test } from 'vitest'

import type { Credentials } from '#access'
import { EventStoreError } from '#event-store'
import { createLogger, createMetrics, HealthRegistry } from '#observability'
import { createHttpServer, type Guard } from '#http'

import { freePorts } from '../../../scripts/stack/index.ts'
import { bareServer } from '../../support/http/bare-server.ts'
import { CertificateAuthority, type Certified, writeCertified } from '../../support/tls/certificates.ts'
import { temporaryFolder, tlsServer } from '../../support/tls/tls-server.ts'

let authority: CertificateAuthority
let foreign: CertificateAuthority
let certified: Certified
beforeAll(async () => {
  authority = await CertificateAuthority.create('Own authority')
  foreign = await CertificateAuthority.create('Foreign authority')
  certified = await authority.server()
})

const open: { destroy(): unknown }[] = []
afterEach(() => open.splice(0).forEach((each) => each.destroy()))

/** A GET on a new connection, or on one of the agent. */
async function get(port: number, path: string, options: RequestOptions = {}) {
  const sent = request({ host: '127.0.0.1', port, path, ca: authority.cert, agent: false, ...options })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const text = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>)).toString()
  const isJson = /json/.test(response.headers['content-type'] ?? '')
  return { status: response.statusCode, body: isJson ? (JSON.parse(text) as unknown) : text }
}

/** The certificate that a server presents. */
async function fingerprintAt(port: number, ca = authority.cert): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca })
  open.push(socket)
  await once(socket, 'secureConnect')
  return socket.getPeerCertificate().fingerprint256
}

function dial(port: number): Socket {
  const socket = connectPlain({ host: '127.0.0.1', port })
  socket.on('error', () => undefined)
  open.push(socket)
  return socket
}

const expired = () => ({
  validFrom: new Date(Date.now() - 7_200_000),
  validUntil: new Date(Date.now() - 3_600_000),
})

describe('a server with TLS', () => {
  test('answers over each of its sockets', async () => {
    const { port } = await tlsServer(certified)
    const answers = await Promise.all(Array.from({ length: 40 }, () => get(port, '/health/live')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  })

  test('has a port of its own for operators, with TLS too', async () => {
    const [operationsPort = 0] = await freePorts(1)
    const { port } = await tlsServer(certified, undefined, { operationsPort })
    expect(await get(port, '/metrics')).toMatchObject({ status: 404, body: { code: 'route-not-found' } })
    expect(await get(operationsPort, '/metrics')).toMatchObject({ status: 200 })
  })

  test.each([
    ['of another authority', () => foreign.cert, '127.0.0.1', /self-signed|unable to verify|issuer/],
    ['at another name', () => authority.cert, '127.0.0.2', /does not match certificate's altnames/],
  ])('is refused by a client that trusts a certificate %s', async (_, ca, servername, message) => {
    const { port } = await tlsServer(certified)
    const identity = (_host: string, cert: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(servername, cert)
    await expect(get(port, '/who', { ca: ca(), checkServerIdentity: identity })).rejects.toThrow(message)
  })

  test('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    const { port } = await tlsServer(certified)
    const versionWith = async (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') => {
      const ciphers = 'DEFAULT:@SECLEVEL=0'
      const options = { host: '127.0.0.1', port, ca: authority.cert, ciphers }
      const socket = connect({ ...options, minVersion: version, maxVersion: version })
      open.push(socket)
      await once(socket, 'secureConnect')
      return socket.getProtocol()
    }
    expect(await versionWith('TLSv1.2')).toBe('TLSv1.2')
    expect(await versionWith('TLSv1.3')).toBe('TLSv1.3')
    await expect(versionWith('TLSv1.1')).rejects.toThrow(/protocol version|unsupported protocol/)
  })

  test('tells a client that speaks plain HTTP to use HTTPS', async () => {
    const { port } = await tlsServer(certified)
    const sent = plainRequest({ host: '127.0.0.1', port, path: '/who', agent: false })
    sent.end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const text = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>)).toString()
    expect(response.statusCode).toBe(400)
    expect(JSON.parse(text)).toMatchObject({ code: 'https-required', retry: 'never' })
  })

  test('ends handshakes with garbage, and goes on', async () => {
    const { port } = await tlsServer(certified)
    for (const bytes of ['\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff', 'SSH-2.0-x\r\n', '\x16\x03\x01\x40']) {
      const socket = dial(port)
      socket.end(Buffer.from(bytes, 'latin1'))
      await once(socket.resume(), 'close')
    }
    expect(await get(port, '/who')).toMatchObject({ status: 200 })
  })

  test('a plain server rejects TLS', async () => {
    const app = await bareServer()
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    await expect(get(Number(port), '/health/live')).rejects.toMatchObject({
      code: expect.stringMatching(/^(ERR_SSL_|EPROTO)/) as unknown,
    })
  })
})

describe('bounds', () => {
  test('a slow handshake is counted as a connection, and ends after the request timeout', async () => {
    const { port } = await tlsServer(certified, undefined, { requestTimeoutMs: 500, connectionsMax: 1 })
    const slow = dial(port)
    await once(slow, 'connect')
    slow.write('\x16')
    await expect(get(port, '/who')).rejects.toMatchObject({ code: 'ECONNRESET' })
    const drip = setInterval(() => slow.writable && slow.write('\x03'), 100)
    await once(slow.resume(), 'close').finally(() => clearInterval(drip))
    await expect.poll(async () => (await get(port, '/who')).status).toBe(200)
  })

  test('a request that never completes is ended with a reason', async () => {
    const { port } = await tlsServer(certified, undefined, { requestTimeoutMs: 500 })
    const socket = connect({ host: '127.0.0.1', port, ca: authority.cert })
    open.push(socket)
    let text = ''
    socket.on('data', (part: Buffer) => (text += part.toString()))
    socket.write('POST /echo HTTP/1.1\r\nhost: localhost\r\nx-slow: ')
    await once(socket, 'close')
    expect(text).toMatch(/^HTTP\/1\.1 408 .*request-timeout/s)
  })

  test('bytes that are not HTTP get a problem document', async () => {
    const { port } = await tlsServer(certified)
    const socket = connect({ host: '127.0.0.1', port, ca: authority.cert })
    open.push(socket)
    let text = ''
    socket.on('data', (part: Buffer) => (text += part.toString()))
    socket.write('\0garbage\r\n\r\n')
    await once(socket, 'close')
    expect(text).toMatch(/^HTTP\/1\.1 400 .*request-malformed/s)
  })

  test('close waits neither for handshakes nor for idle connections', async () => {
    const { app, port } = await tlsServer(certified)
    const agent = new Agent({ keepAlive: true })
    open.push(agent)
    await get(port, '/who', { agent })
    const shaking = Array.from({ length: 20 }, () => dial(port))
    await Promise.all(shaking.map((socket) => once(socket, 'connect')))
    const startMs = performance.now()
    await app.close()
    expect(performance.now() - startMs).toBeLessThan(5_000)
  })
})

describe('client certificates', () => {
  const who = async (port: number, presented?: Certified, agent: Agent | false = false) =>
    ((await get(port, '/who', { ...presented, agent })).body as { certificate: unknown }).certificate

  test('a verified one is known to the request', async () => {
    const { port } = await tlsServer(certified, authority)
    const validUntil = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 60_000)
    expect(await who(port, await authority.client('ada', { validUntil }))).toEqual({
      commonName: 'ada',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      expiresAtMs: validUntil.getTime(),
    })
  })

  test.each([
    ['none', 'none', () => Promise.resolve(undefined)],
    ['one of a foreign authority', 'unverified', () => foreign.client('ada')],
    ['an expired one', 'unverified', () => authority.client('ada', expired())],
    ['one without a common name', 'unverified', () => authority.client('')],
  ])('a client with %s is not known', async (_, expected, presented) => {
    const { port } = await tlsServer(certified, authority)
    expect(await who(port, await presented())).toBe(expected)
  })

  test('is not known from the moment it expires, on an open connection too', async () => {
    const { port } = await tlsServer(certified, authority)
    const presented = await authority.client('ada', { validUntil: new Date(Date.now() + 2_000) })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    open.push(agent)
    expect(await who(port, presented, agent)).toMatchObject({ commonName: 'ada' })
    await expect.poll(() => who(port, presented, agent)).toBe('unverified')
  })

  test('without a client CA, clients are not asked for one', async () => {
    const { port } = await tlsServer(certified)
    expect(await who(port, await authority.client('ada'))).toBe('none')
  })

  test('a changed client CA holds for open connections too', async () => {
    const { port, files } = await tlsServer(certified, authority)
    const presented = await authority.client('ada')
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    open.push(agent)
    expect(await who(port, presented, agent)).toMatchObject({ commonName: 'ada' })
    await writeFile(files.clientCaFile ?? '', foreign.cert)
    await expect.poll(() => who(port, presented, agent).catch(() => 'reset')).toBe('unverified')
    expect(await who(port, await foreign.client('eve'))).toMatchObject({ commonName: 'eve' })
  })
})

describe('access control', () => {
  /** A guard that lets nobody in, and remembers what it was asked. */
  const closedGuard = () => {
    const credentials: Credentials[] = []
    const guard: Guard = {
      authenticate: (given) => {
        credentials.push(given)
        throw new EventStoreError('unauthenticated', 'it is not listed')
      },
      denied: () => undefined,
      acted: () => undefined,
    }
    return { credentials, guard }
  }

  test('gets verified certificates', async () => {
    const { credentials, guard } = closedGuard()
    const { port } = await tlsServer(certified, authority, { guard })
    expect(await get(port, '/who', await authority.client('ada'))).toMatchObject({ status: 401 })
    expect(credentials).toMatchObject([{ authorization: [], certificate: { commonName: 'ada' } }])
  })

  test('rejects others by itself, also at public routes', async () => {
    const { credentials, guard } = closedGuard()
    const { port } = await tlsServer(certified, authority, { guard })
    expect(await get(port, '/who')).toMatchObject({ status: 200 })
    const answer = await get(port, '/who', await foreign.client('ada'))
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    expect(credentials).toEqual([])
  })
})

describe('reload', () => {
  test('a new certificate is used without a restart, and open connections go on', async () => {
    const { port, files, metrics } = await tlsServer(certified)
    const before = await fingerprintAt(port)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    open.push(agent)
    await get(port, '/who', { agent })
    const validUntil = new Date(Date.now() + 3_600_000)
    await writeCertified(folderOf(files.certFile), 'server', await authority.server({ validUntil }))
    await expect.poll(() => fingerprintAt(port)).not.toBe(before)
    expect(await get(port, '/who', { agent })).toMatchObject({ status: 200 })
    const left = /^annals_tls_certificate_expiry_seconds\{.*certificate="server".*\} (\S+)$/m.exec(
      await metrics(),
    )
    expect(Number(left?.[1])).toBeGreaterThan(3_500)
    expect(Number(left?.[1])).toBeLessThanOrEqual(3_600)
  })

  test.each([
    ['removed', (certFile: string) => rm(certFile)],
    ['empty', (certFile: string) => writeFile(certFile, '')],
    ['damaged', (certFile: string) => writeFile(certFile, certified.cert.replace(/[a-z]/g, 'A'))],
    ['of another key', async (certFile: string) => writeFile(certFile, (await authority.server()).cert)],
    [
      'expired',
      async (certFile: string) =>
        writeCertified(folderOf(certFile), 'server', await authority.server(expired())),
    ],
  ])('a certificate file that is %s keeps the old certificate, and is counted once', async (_, damage) => {
    const { port, files, metrics } = await tlsServer(certified)
    const before = await fingerprintAt(port)
    await damage(files.certFile)
    const failures = async () => /^annals_tls_reload_failures_total\{.*\} (\d+)$/m.exec(await metrics())?.[1]
    await expect.poll(failures).toBe('1')
    expect(await fingerprintAt(port)).toBe(before)
    await writeCertified(folderOf(files.certFile), 'server', await authority.server())
    await expect.poll(() => fingerprintAt(port)).not.toBe(before)
    expect(await failures()).toBe('1')
  })

  test('the reason is logged, without the key', async () => {
    const lines: string[] = []
    const logger = createLogger({ name: 'service', level: 'info' })
    Object.assign(logger, { error: (...args: unknown[]) => void lines.push(JSON.stringify(args)) })
    const { files } = await tlsServer(certified, undefined, { logger })
    await writeFile(files.keyFile, (await authority.server()).key)
    await expect.poll(() => lines).toHaveLength(1)
    expect(lines[0]).toContain('does not belong to the first certificate in')
    expect(lines[0]).not.toContain('PRIVATE KEY')
  })
})

describe('at the start', () => {
  const start = (tls: { certFile: string; keyFile: string; clientCaFile?: string }) =>
    createHttpServer({
      logger: createLogger({ name: 'service', level: 'silent' }),
      health: new HealthRegistry(),
      metrics: createMetrics({ service: 'test', processMetrics: false }),
      title: 'Annals',
      version: '0.0.0',
      bodyLimitBytes: 10_000,
      tls,
    })

  const cases: readonly [string, string, RegExp, (files: Files) => Promise<Partial<Files>>][] = [
    ['a missing certificate', 'certFile', /cannot be read: ENOENT/, () => replaced('certFile', '/none')],
    ['a folder', 'certFile', /is not a file/, () => replaced('certFile', '/tmp')],
    ['a device', 'keyFile', /is not a file/, () => replaced('keyFile', '/dev/zero')],
    [
      'a huge file',
      'certFile',
      /more than 1048576 bytes/,
      (files) => written(files, 'certFile', 'x'.repeat(2 << 20)),
    ],
    ['an empty certificate', 'certFile', /has no certificate/, (files) => written(files, 'certFile', '')],
    [
      'a key as certificate',
      'certFile',
      /has no certificate/,
      ({ keyFile }) => replaced('certFile', keyFile),
    ],
    [
      'a certificate as key',
      'keyFile',
      /has no private key/,
      ({ certFile }) => replaced('keyFile', certFile),
    ],
    [
      'the key of another certificate',
      'keyFile',
      /does not belong to the first certificate/,
      async (files) => written(files, 'keyFile', (await authority.server()).key),
    ],
    [
      'an empty client CA',
      'clientCaFile',
      /has no certificate/,
      (files) => written(files, 'clientCaFile', ''),
    ],
  ]

  test.each(cases)('%s is named', async (_, file, message, change) => {
    const folder = await temporaryFolder()
    const files = {
      ...(await writeCertified(folder, 'server', certified)),
      clientCaFile: (await writeCertified(folder, 'ca', { cert: authority.cert, key: '' })).certFile,
    }
    const starting = start({ ...files, ...(await change(files)) })
    await expect(starting).rejects.toMatchObject({
      name: 'TlsFileError',
      file,
      message: expect.stringMatching(message) as unknown,
    })
  })

  test.each([
    ['an expired certificate', expired, /expired at/],
    [
      'one that is not valid yet',
      () => ({ validFrom: new Date(Date.now() + 3_600_000) }),
      /is not valid before/,
    ],
  ])('%s is named', async (_, period, message) => {
    const files = await writeCertified(await temporaryFolder(), 'server', await authority.server(period()))
    await expect(start(files)).rejects.toThrow(message)
  })

  test.skipIf(process.getuid?.() === 0)('an unreadable key is named', async () => {
    const files = await writeCertified(await temporaryFolder(), 'server', certified)
    await chmod(files.keyFile, 0)
    await expect(start(files)).rejects.toThrow(/cannot be read: EACCES/)
  })
})

interface Files {
  readonly certFile: string
  readonly keyFile: string
  readonly clientCaFile: string
}

const replaced = (file: keyof Files, path: string): Promise<Partial<Files>> =>
  Promise.resolve({ [file]: path })

async function written(files: Files, file: keyof Files, text: string): Promise<Partial<Files>> {
  await writeFile(files[file], text)
  return {}
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))
