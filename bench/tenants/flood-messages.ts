/** What the process of the flooding tenant is asked. */
export type FloodRequest =
  | { readonly kind: 'start'; readonly key: string; readonly perSecond: number }
  | { readonly kind: 'stop' }
  | { readonly kind: 'close' }

/** How many of the requests of one flood had which end. */
export interface FloodCounts {
  readonly sent: number
  readonly accepted: number
  /** 429 */
  readonly limited: number
  /** 503 */
  readonly overloaded: number
  readonly failed: number
  /** Not sent, because too many were waiting for their answers. */
  readonly skipped: number
  readonly seconds: number
}

/** Its answers, in the order of the requests to stop. `started` comes first. */
export type FloodAnswer =
  { readonly kind: 'started' } | { readonly kind: 'stopped'; readonly counts: FloodCounts }
