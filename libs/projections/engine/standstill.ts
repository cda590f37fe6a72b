import type { GenerationState } from '../view-store/generations.ts'

/**
 * Whether a partition is stopped. A recorded stop at an event that was applied since does not count: it came from a
 * stale instance.
 * @param source by `formatPartition`.
 */
export function isStopped({ stops, checkpoints }: GenerationState, source: string): boolean {
  const stop = stops.get(source)
  return stop !== undefined && stop.position.offset >= (checkpoints.get(source) ?? 0)
}
