import type { GenerationState } from '../view-store/generations.ts'

/**
 * Whether a partition stands still. A note of an event that was applied all the same means nothing: it came from an
 * instance that was stale, or knew no better.
 * @param source by `formatPartition`.
 */
export function isStopped({ stops, checkpoints }: GenerationState, source: string): boolean {
  const stop = stops.get(source)
  return stop !== undefined && stop.position.offset >= (checkpoints.get(source) ?? 0)
}
