import { InvalidInputError } from '#domain'

import type { CoalesceLimits } from './append-lane.ts'
import type { RetryLimits } from './backoff.ts'
import type { OnProgress } from './follow-stream.ts'
import type { HttpTransport, TransportOptions } from './http-transport.ts'
import { parseUrl } from './request-path.ts'

export interface ClientOptions extends TransportOptions {
  /** URL of one writer, e.g. `http://127.0.0.1:7400`. The client learns the others from it; if all given URLs begin with https, only those that do too. */
  readonly url?: string
  /** URLs of several writers, so the client can start while one of them is down. */
  readonly urls?: readonly string[]
  /** URLs of projectors; default the URLs of the writers. */
  readonly projectionUrls?: readonly string[]
  /** Whether to send requests directly to the owner of the partition. Set it to false behind a load balancer. Default true. */
  readonly direct?: boolean
  /** Limits for sharing requests between appends. */
  readonly coalesce?: Partial<CoalesceLimits>
  /** Limits for retries. */
  readonly retries?: Partial<RetryLimits>
  /** A subscription that receives nothing for this long reconnects. Default 45,000: three heartbeats. */
  readonly silenceMsMax?: number
}

export interface SubscribeOptions {
  /** Ends the subscription. */
  readonly signal?: AbortSignal
  /**
   * Called with the cursor from time to time while the filter matches nothing. Save it like the cursor of an event, after you have
   * processed all events before it. A subscription that resumes from it does not read the same events again.
   */
  readonly onProgress?: OnProgress
}

/** The configured writer URLs. @throws InvalidInputError when there are none. */
export function urlsOf({ url, urls = [] }: ClientOptions): readonly string[] {
  const all = [...new Set([...(url === undefined ? [] : [url]), ...urls])]
  if (all.length > 0) return all
  throw new InvalidInputError(
    'url',
    'the client has no url: expected url or urls, e.g. http://127.0.0.1:7400',
  )
}

/** @throws InvalidInputError when a URL is malformed, or a token would be exposed on the way there. */
export function checkUrls(urls: readonly string[], transport: Pick<HttpTransport, 'refusalOf'>): void {
  for (const url of urls) {
    const refusal = transport.refusalOf(parseUrl(url))
    if (refusal !== undefined) throw new InvalidInputError('url', refusal)
  }
}
