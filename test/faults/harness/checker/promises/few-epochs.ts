import type { LoggedMarker } from '../../history.ts'
import type { Promised } from './promised.ts'

/** Longer than a fault lasts, and than partitions take to get other owners. */
const withinMs = 20_000
/** A burst from each of two owners, plus the restarts of processes. A loop that takes over once a second exceeds it. */
const epochsMax = 30

/**
 * A lasting fault uses few of the 32,750 epochs, because owners pace their take-overs. Epochs without a marker count
 * too.
 */
export const fewEpochs: Promised = {
  name: 'take-overs are few',
  *broken({ remains: { markers } }) {
    for (const [place, own] of Map.groupBy(markers, ({ topic, partition }) => `${topic}/${partition}`)) {
      const counted = withCount(own.toSorted((one, other) => one.offset - other.offset))
      for (const { marker, count } of counted) {
        const last = counted.findLast((each) => each.marker.timestampMs <= marker.timestampMs + withinMs)
        const used = (last?.count ?? count) - count
        if (used <= epochsMax) continue
        yield {
          where: `${place} from offset ${marker.offset}`,
          expected: `at most ${epochsMax} epochs in ${withinMs / 1_000} s`,
          found: `${used}, up to offset ${String(last?.marker.offset)}`,
          operations: [],
        }
        break
      }
    }
  },
}

/** How many epochs were used up to each marker, including those in between for the same producer id. */
function withCount(markers: readonly LoggedMarker[]): { marker: LoggedMarker; count: number }[] {
  let count = 0
  return markers.map((marker, index) => {
    const before = markers[index - 1]
    if (before !== undefined) {
      const isSameId = before.producer.id === marker.producer.id
      count += isSameId ? Math.max(0, marker.producer.epoch - before.producer.epoch) : 1
    }
    return { marker, count }
  })
}
