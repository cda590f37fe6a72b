import type { Promised } from './promised.ts'

/** The index has each stream's version and offsets as in the log, and no further stream. */
export const indexEqualsLog: Promised = {
  name: 'the index equals the log',
  *broken({ remains, streams }) {
    const indexed = new Map(remains.index.map((each) => [each.streamId, each]))
    for (const streamId of new Set([...streams.keys(), ...indexed.keys()])) {
      const events = streams.get(streamId)
      const expected = offsetsText(events?.map(({ offset }) => offset) ?? [], events?.length ?? 0)
      const entry = indexed.get(streamId)
      const found = offsetsText(entry?.offsets ?? [], entry?.version ?? 0)
      if (expected !== found || remains.index.filter((each) => each.streamId === streamId).length > 1)
        yield { where: streamId, streamId, expected, found, operations: [] }
    }
  },
}

const offsetsText = (offsets: readonly number[], version: number): string =>
  version === 0 && offsets.length === 0
    ? 'no such stream'
    : `version ${version}, offsets ${offsets.join(', ')}`
