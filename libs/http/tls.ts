import { type Server, type ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import { Server as TlsServer, type TLSSocket } from 'node:tls'

import type { FastifyInstance } from 'fastify'

import { reportSafely } from '#observability'

import { refuseOnSocket } from './broken-requests.ts'
import { rememberClientCertificates } from './client-certificate.ts'
import { refusalProblem } from './request-refusal.ts'
import { minVersion, type TlsFiles, type TlsMaterial, type TlsTexts } from './tls-files.ts'
import type { TlsMetrics } from './tls-metrics.ts'
import { TlsReload } from './tls-reload.ts'

export interface TlsOptions extends TlsFiles {
  /** How often the files are read again; default 1 s. A change takes effect after at most three times that. */
  readonly reloadIntervalMs?: number
}

/** Whether connections of the server are encrypted. */
export const isTls = (server: object): server is Server => server instanceof TlsServer

/**
 * Node's options for a server with the certificate.
 * @param handshakeTimeoutMs after which a connection is closed whose handshake is not complete
 */
export const secureOptions = (material: TlsMaterial, handshakeTimeoutMs: number): ServerOptions => ({
  ...contextOf(material),
  handshakeTimeout: handshakeTimeoutMs,
  noDelay: true,
  // A client without a certificate may have another credential. The guard rejects a certificate that is not verified.
  requestCert: material.ca !== undefined,
  rejectUnauthorized: false,
})

const contextOf = ({ cert, key, ca }: TlsTexts) =>
  ({ cert, key, ...(ca !== undefined && { ca }), minVersion }) as const

/** Replaces the certificate when its files change, remembers client certificates, and ends broken handshakes. */
export function maintainTls(
  app: FastifyInstance,
  server: Server,
  { reloadIntervalMs = 1_000, ...files }: TlsOptions,
  first: TlsMaterial,
  metrics: TlsMetrics,
): void {
  metrics.used(first)
  let { ca } = first
  const authoritiesChanged = ca === undefined ? () => undefined : rememberClientCertificates(app, server)
  const use = (material: TlsMaterial) => {
    server.setSecureContext(contextOf(material))
    if (material.ca !== ca) authoritiesChanged()
    ca = material.ca
    reportSafely(() => {
      metrics.used(material)
      const expiresAt = new Date(material.expiresAtMs.server).toISOString()
      app.log.info({ certFile: files.certFile, expiresAt }, 'the changed TLS files are used from now on')
    })
  }
  const onProblem = (problem: string) => {
    reportSafely(() => {
      metrics.failed()
      app.log.error({ problem }, 'changed TLS files cannot be used: the previous certificate stays in use')
    })
  }
  const reload = new TlsReload(files, first, { intervalMs: reloadIntervalMs, use, onProblem })
  reload.start()
  app.addHook('preClose', (done) => {
    reload.stop()
    done()
  })
  endBrokenHandshakes(server)
  endHandshakesOnClose(app, server)
}

/** Nothing is logged, because the sender decides how often this happens. */
function endBrokenHandshakes(server: Server): void {
  server.removeAllListeners('tlsClientError')
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    const plain = plainSocketOf(socket)
    if (error.code === 'ERR_SSL_HTTP_REQUEST' && plain?.writable === true) refuseOnSocket(plain, httpsOnly)
    socket.destroy()
  })
}

const httpsOnly = refusalProblem(
  'https-required',
  'this port speaks HTTPS only: use a URL that begins with https://',
)

/** Connections whose handshake is in progress have no request to finish, but would delay the close. */
function endHandshakesOnClose(app: FastifyInstance, server: Server): void {
  const shaking = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    shaking.add(socket)
    socket.once('close', () => shaking.delete(socket))
  })
  server.on('secureConnection', (socket) => {
    const plain = plainSocketOf(socket)
    if (plain !== undefined) shaking.delete(plain)
  })
  app.addHook('preClose', (done) => {
    for (const socket of shaking) socket.destroy()
    done()
  })
}

/** The TCP connection under a TLS connection. Node has no public name for it. */
const plainSocketOf = (socket: TLSSocket & { readonly _parent?: Socket }): Socket | undefined =>
  socket._parent
