import type { LimitsOfRole } from '#access'

interface LimitKind {
  /** Its field in a role. */
  readonly field: keyof LimitsOfRole
  /** The setting for all principals. */
  readonly setting: string
  /** What is counted, in error messages. */
  readonly what: string
}

/** Limits on what passes in a second. */
const rateKinds = {
  requests: { field: 'requestsPerSecond', setting: 'ANNALS_LIMIT_REQUESTS', what: 'requests' },
  events: { field: 'eventsPerSecond', setting: 'ANNALS_LIMIT_EVENTS', what: 'appended events' },
  bytes: { field: 'bytesPerSecond', setting: 'ANNALS_LIMIT_BYTES', what: 'bytes of appended bodies' },
} as const satisfies Record<string, LimitKind>

/** Limits on what is in progress at a time. */
const countKinds = {
  subscribers: { field: 'subscribers', setting: 'ANNALS_LIMIT_SUBSCRIBERS', what: 'live subscriptions' },
  reads: { field: 'reads', setting: 'ANNALS_LIMIT_READS', what: 'reads in progress' },
} as const satisfies Record<string, LimitKind>

export const limitKinds = { ...rateKinds, ...countKinds }

export type RateName = keyof typeof rateKinds
export type CountName = keyof typeof countKinds
export type LimitName = keyof typeof limitKinds

export const rateNames = Object.keys(rateKinds) as readonly RateName[]
export const limitNames = Object.keys(limitKinds) as readonly LimitName[]

export const isRate = (name: LimitName): name is RateName => name in rateKinds
