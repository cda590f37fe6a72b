import type { FastifyRequest } from 'fastify'

import type { NewEvent } from '#domain'
import { refusalOf } from '#http'

/**
 * The events with the name of the caller as `metadata.userId`. Another user's name needs the right `annals:act-as` on
 * that user. Without access control, and in requests that a peer has forwarded, events stay as they are.
 * @throws EventStoreError `forbidden`
 */
export function withUserId(request: FastifyRequest, events: readonly NewEvent[]): readonly NewEvent[] {
  const { principal, isForwarded } = request.caller
  if (isForwarded || principal.kind === 'open') return events
  return events.map((event) => {
    const userId = event.metadata?.userId
    if (userId === principal.name) return event
    if (userId === undefined) return { ...event, metadata: { ...event.metadata, userId: principal.name } }
    const refusal = refusalOf(request, ['annals:act-as'], { kind: 'user', name: userId })
    if (refusal !== undefined) throw refusal
    return event
  })
}
