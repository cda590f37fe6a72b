import type { Server } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { ClientCertificate } from '#access'

/** A certificate that a client has presented on its connection. */
interface Presented {
  readonly certificate: ClientCertificate | 'unverified'
  /** How often the authorities had changed when it was verified. */
  readonly authorities: number
}

const presentedOn = new WeakMap<Socket, Presented>()

/**
 * The client certificate of the connection that a request came on; undefined if the client presented none. Only verified ones are
 * returned: `unverified` is one that no authority in the client CA file has signed, that has expired, or that has not exactly one
 * common name.
 */
export function clientCertificateOf({ raw }: FastifyRequest): ClientCertificate | 'unverified' | undefined {
  const certificate = presentedOn.get(raw.socket)?.certificate
  if (certificate === undefined || certificate === 'unverified') return certificate
  return certificate.expiresAtMs <= Date.now() ? 'unverified' : certificate
}

/**
 * Remembers the certificates of clients.
 * @returns to be called after the authorities have changed: idle connections are closed, and others after their next answer, so that
 *   their certificates are verified again
 */
export function rememberClientCertificates(app: FastifyInstance, server: Server): () => void {
  let authorities = 0
  server.prependListener('secureConnection', (socket) => {
    const certificate = presentedBy(socket)
    if (certificate !== undefined) presentedOn.set(socket, { certificate, authorities })
  })
  app.addHook('onSend', ({ raw }, reply, _payload, done) => {
    const presented = presentedOn.get(raw.socket)
    if (presented !== undefined && presented.authorities !== authorities)
      void reply.header('connection', 'close')
    done()
  })
  return () => {
    authorities++
    server.closeIdleConnections()
  }
}

function presentedBy(socket: TLSSocket): ClientCertificate | 'unverified' | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const { CN: commonName } = certificate.toLegacyObject().subject as { readonly CN?: string | string[] }
  if (!socket.authorized || typeof commonName !== 'string' || commonName === '') return 'unverified'
  return {
    commonName,
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    expiresAtMs: certificate.validToDate.getTime(),
  }
}
