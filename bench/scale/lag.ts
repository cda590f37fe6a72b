/** How many events were applied at a time. */
export interface AppliedAt {
  readonly atMs: number
  readonly applied: number
}

/**
 * The time from each acknowledgement until that many events were applied. Events of different partitions may be applied
 * in another order than they were acknowledged, so this is exact for the whole, not for each event.
 * @param ackedMs the times of the acknowledgements, ascending
 * @param samples ascending; `applied` counts from the first of these events
 * @throws RangeError when the samples do not reach all events
 */
export function lagsMs(ackedMs: readonly number[], samples: readonly AppliedAt[]): readonly number[] {
  let at = 0
  return ackedMs.map((acked, n) => {
    while ((samples[at]?.applied ?? Infinity) <= n) at++
    const sample = samples[at]
    if (sample === undefined) throw new RangeError(`event ${n} was not applied`)
    return Math.max(0, sample.atMs - acked)
  })
}
