import type { Promised } from './promised.ts'

interface Indexed {
  readonly version: number
  readonly offsets: readonly number[]
}

/** The index has each stream's version and offsets as in the log, and no further stream. */
export const indexEqualsLog: Promised = {
  name: 'the index equals the log',
  *broken({ remains, streams }) {
    const indexed = new Map(remains.index.map((each) => [each.streamId, each]))
    for (const streamId of new Set([...streams.keys(), ...indexed.keys()])) {
      const events = streams.get(streamId) ?? []
      const expected = { version: events.length, offsets: events.map(({ offset }) => offset) }
      const found = indexed.get(streamId) ?? { version: 0, offsets: [] }
      const isDouble = remains.index.filter((each) => each.streamId === streamId).length > 1
      const from = firstDifference(expected, found)
      if (from === undefined && !isDouble) continue
      const texts = { expected: textFrom(expected, from ?? 0), found: textFrom(found, from ?? 0) }
      yield { where: streamId, streamId, ...texts, operations: [] }
    }
  },
}

/** The first place where the offsets differ, or their number if only the versions do; undefined if nothing differs. */
function firstDifference(one: Indexed, other: Indexed): number | undefined {
  const length = Math.max(one.offsets.length, other.offsets.length)
  for (let at = 0; at < length; at++) if (one.offsets[at] !== other.offsets[at]) return at
  return one.version === other.version ? undefined : length
}

const shownMax = 5

function textFrom({ version, offsets }: Indexed, from: number): string {
  if (version === 0 && offsets.length === 0) return 'no such stream'
  const shown = offsets.slice(from, from + shownMax)
  const more = offsets.length > from + shownMax ? ', …' : ''
  return `version ${version}, offsets from version ${from + 1} on: ${shown.join(', ') || 'none'}${more}`
}
