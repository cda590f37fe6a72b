import type { FastifyRequest } from 'fastify'

import { EventStoreError } from '#event-store'

/** A change of access reaches every process within 5 s; this adds at most one more. */
const lookMs = 1_000

interface CallerWatch {
  /** Aborts with an `unauthenticated` error as its reason when the credential or the rights no longer hold. */
  readonly signal: AbortSignal
  readonly stop: () => void
}

/** Watches the credential and the rights with which a stream was opened. */
export function watchCaller({ caller }: FastifyRequest): CallerWatch {
  const ended = new AbortController()
  if (caller.principal.kind === 'open') return { signal: ended.signal, stop: () => undefined }
  const timer = setInterval(() => {
    const reason = caller.ended()
    if (reason === undefined) return
    clearInterval(timer)
    ended.abort(new EventStoreError('unauthenticated', reason))
  }, lookMs)
  return { signal: ended.signal, stop: () => clearInterval(timer) }
}
