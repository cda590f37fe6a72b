import type { Operation } from '../history.ts'

/** Evaluations at most. The result is short enough to read by then, if not the shortest. */
const evaluationsMax = 400

/**
 * Removes operations as long as the rest still shows the same. See Zeller and Hildebrandt, Simplifying and Isolating
 * Failure-Inducing Input (2002): large pieces first, then smaller ones.
 * @param shows whether these operations are enough
 */
export function shortestHistory(
  operations: readonly Operation[],
  shows: (operations: readonly Operation[]) => boolean,
): readonly Operation[] {
  if (shows([])) return []
  let left = operations
  let evaluations = 0
  for (let size = Math.ceil(left.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < left.length && left.length > 1 && evaluations < evaluationsMax;) {
      const without = [...left.slice(0, at), ...left.slice(at + size)]
      evaluations++
      if (shows(without)) left = without
      else at += size
    }
  }
  return left
}
