import type { FastifyRequest } from 'fastify'

import type { Credentials } from '#access'
import { EventStoreError } from '#event-store'

import { clientCertificateOf } from './client-certificate.ts'

/**
 * The credentials of a request; undefined if it has none. They are read from the raw headers, because Node.js drops a
 * second `authorization` silently.
 * @throws EventStoreError `unauthenticated` when the client has presented a certificate that is not verified
 */
export function credentialsOf(request: FastifyRequest): Credentials | undefined {
  const { rawHeaders } = request.raw
  const authorization: string[] = []
  const peer: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length === 13 && name.toLowerCase() === 'authorization')
      authorization.push(rawHeaders[index + 1] ?? '')
    else if (name.length === 11 && name.toLowerCase() === 'annals-peer')
      peer.push(rawHeaders[index + 1] ?? '')
  }
  const certificate = clientCertificateOf(request)
  if (certificate === 'unverified') throw new EventStoreError('unauthenticated', unverified)
  if (certificate !== undefined) return { authorization, peer, certificate }
  if (authorization.length === 0 && peer.length === 0) return undefined
  return { authorization, peer }
}

const unverified =
  'the client certificate is not accepted: it must be valid now, be signed by an authority that this service trusts, and have one common name'
