import { InvalidInputError } from '#domain'

import type { CoalesceLimits } from './append-lane.ts'
import type { RetryLimits } from './backoff.ts'
import type { OnProgress } from './follow-stream.ts'
import type { TransportOptions } from './http-transport.ts'

export interface ClientOptions extends TransportOptions {
  /** Of one writer, e.g. `http://127.0.0.1:7400`; the others are learned from it. */
  readonly url?: string
  /** Of several, so that a client can start while one of them is down. */
  readonly urls?: readonly string[]
  /** Of projectors, where they are not the writers; default: the same URLs. */
  readonly projectionUrls?: readonly string[]
  /** Whether requests go straight to the writer that owns the partition. Turn it off behind a load balancer. Default true. */
  readonly direct?: boolean
  readonly coalesce?: Partial<CoalesceLimits>
  readonly retries?: Partial<RetryLimits>
  /** A subscription that says nothing for longer is opened anew. Default 45,000: three heartbeats. */
  readonly silenceMsMax?: number
}

export interface SubscribeOptions {
  /** Ends the subscription. */
  readonly signal?: AbortSignal
  /**
   * Called with the cursor from time to time while the filter matches nothing. Save it like the cursor of an event, after you
   * have processed all events before it. A subscription that resumes from it does not read the same events again.
   */
  readonly onProgress?: OnProgress
}

/** The writers that are given. @throws InvalidInputError where there are none. */
export function urlsOf({ url, urls = [] }: ClientOptions): readonly string[] {
  const all = [...new Set([...(url === undefined ? [] : [url]), ...urls])]
  if (all.length > 0) return all
  throw new InvalidInputError(
    'url',
    'the client has no url: expected url or urls, e.g. http://127.0.0.1:7400',
  )
}
