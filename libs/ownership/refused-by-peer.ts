import { EventStoreError } from '#event-store'

import { unavailable } from './unavailable.ts'

/**
 * The error of a request that this process sent to another service. A rejected token of a peer is not the fault of the caller, whose
 * own credential was accepted here: he may retry.
 */
export function refusedByPeer(error: unknown): unknown {
  if (!(error instanceof EventStoreError) || error.code !== 'unauthenticated') return error
  return unavailable(
    `another service does not accept the signature of this one: ${error.message}. All services need the same ANNALS_PEER_SECRET, clocks that agree, and the URL of each as its ANNALS_ADVERTISED_URL`,
    error,
  )
}
