import type { FastifyRequest } from 'fastify'

import type { Credentials } from '#access'

/**
 * The credentials of a request; undefined if it has none. They are read from the raw headers, because Node.js drops a
 * second `authorization` silently.
 */
export function credentialsOf({ raw }: FastifyRequest): Credentials | undefined {
  const { rawHeaders } = raw
  const authorization: string[] = []
  const peer: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length === 13 && name.toLowerCase() === 'authorization')
      authorization.push(rawHeaders[index + 1] ?? '')
    else if (name.length === 11 && name.toLowerCase() === 'annals-peer')
      peer.push(rawHeaders[index + 1] ?? '')
  }
  if (authorization.length === 0 && peer.length === 0) return undefined
  return { authorization, peer }
}
