import type { CallSamples } from '../callers.ts'

/** What a process of several-writers.ts is asked. */
export type LoadRequest =
  | { readonly kind: 'measure'; readonly callers: number; readonly durationMs: number; readonly run: string }
  /** How many partitions its writer serves; 0 while one of them is not served yet. */
  | { readonly kind: 'owned' }
  | { readonly kind: 'close' }

/** Its answers, in the order of the requests. The first one follows its start. */
export type LoadAnswer =
  | { readonly kind: 'started' }
  | { readonly kind: 'measured'; readonly samples: CallSamples }
  | { readonly kind: 'owned'; readonly owned: number }
  | { readonly kind: 'failed'; readonly reason: string }
