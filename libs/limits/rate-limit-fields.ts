import type { LimitsOfRole } from '#access'

import { isRate, limitKinds, type LimitName, limitNames } from './limit-names.ts'

/**
 * The header fields of draft-ietf-httpapi-ratelimit-headers-11 (23 May 2026): lists of strings with parameters
 * (RFC 9651). `q` is the quota, `w` its window in seconds, `qu` its unit (default: requests), `r` what is left of it and
 * `t` for how many seconds that holds.
 */

/** The draft registers no unit for events. A parameter with a vendor's prefix counts as a comment. */
const units: Readonly<Record<LimitName, string>> = {
  requests: '',
  events: ';annals-unit="events"',
  bytes: ';qu="content-bytes"',
  subscribers: ';qu="concurrent-requests"',
  reads: ';qu="concurrent-requests"',
}

/** The value of `RateLimit-Policy`: all limits that are set. */
export const policyField = (limits: LimitsOfRole): string =>
  limitNames
    .flatMap((name) => {
      const limit = limits[limitKinds[name].field]
      return limit === undefined ? [] : [`"${name}";q=${limit}${isRate(name) ? ';w=1' : ''}${units[name]}`]
    })
    .join(', ')

/** The value of `RateLimit`: what is left of each of these limits. */
export const stateField = (
  names: readonly LimitName[],
  available: (name: LimitName) => number,
  windowSeconds: number,
): string =>
  names.map((name) => `"${name}";r=${available(name)}${isRate(name) ? `;t=${windowSeconds}` : ''}`).join(', ')
