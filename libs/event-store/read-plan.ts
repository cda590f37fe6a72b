import { parseBound } from '#calendar'
import { parseVersion, quote, type ReadOptions, type Version } from '#domain'

import { invalidRequest, parseRequest } from './invalid-request.ts'

/** Maximum number of events per page. */
export const pageLimitMax = 1000
const pageLimitDefault = 100

/** Validated read options with defaults. `untilMs` is exclusive, all other bounds are inclusive. */
export interface ReadPlan {
  readonly fromVersion: Version
  /** Infinity: to the end of the stream. */
  readonly toVersion: number
  /** Milliseconds since 1970. */
  readonly fromMs: number
  readonly untilMs: number
  readonly direction: 'forwards' | 'backwards'
  readonly limit: number
}

/** Validates read options and applies defaults. @throws EventStoreError `invalid-request` with the name of the malformed option. */
export function planRead(options: ReadOptions = {}): ReadPlan {
  return {
    fromVersion: versionOption(options.fromVersion, 'fromVersion') ?? (1 as Version),
    toVersion: versionOption(options.toVersion, 'toVersion') ?? Infinity,
    fromMs: options.from === undefined ? -Infinity : parseTime(options.from, 'from'),
    untilMs: options.until === undefined ? Infinity : parseTime(options.until, 'until'),
    direction: parseDirection(options.direction ?? 'forwards'),
    limit: parsePageLimit(options.limit ?? pageLimitDefault),
  }
}

const versionOption = (value: Version | undefined, path: string): Version | undefined =>
  value === undefined ? undefined : parseRequest(() => parseVersion(value, path))

function parseDirection(value: 'forwards' | 'backwards'): 'forwards' | 'backwards' {
  if (['forwards', 'backwards'].includes(value)) return value
  throw invalidRequest('direction', `direction ${quote(value)} is unknown: expected forwards or backwards`)
}

/** Checks a page size and returns it. @throws EventStoreError `invalid-request` unless it is a whole number from 1 to {@link pageLimitMax}. */
export function parsePageLimit(value: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= pageLimitMax) return value
  throw invalidRequest('limit', `limit ${quote(value)}: expected a whole number from 1 to ${pageLimitMax}`)
}

/**
 * Parses an ISO 8601 time with its offset from UTC. Without an offset it would depend on the machine's time zone. A date alone is
 * midnight in UTC. Dates and times that do not exist are rejected: 30 February, 24:00.
 * @returns milliseconds since 1970.
 * @throws EventStoreError `invalid-request`
 */
export function parseTime(text: string, path: string): number {
  const ms = parseBound(text)
  if (ms !== undefined) return ms
  throw invalidRequest(
    path,
    `${path} ${quote(text)} is not a time: expected an existing date, or a time with an offset, in ISO 8601, e.g. 2026-01-31 or 2026-01-31T12:00:00Z`,
  )
}
