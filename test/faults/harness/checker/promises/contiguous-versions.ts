import type { Promised } from './promised.ts'

/** The versions of each stream are 1, 2, 3 … */
export const contiguousVersions: Promised = {
  name: 'versions are contiguous',
  *broken(evidence) {
    for (const streamId of evidence.streams.keys()) {
      const events = evidence.versions(streamId)
      const wrong = events.findIndex(({ version }, index) => version !== index + 1)
      const event = events[wrong]
      if (event === undefined) continue
      yield {
        where: streamId,
        streamId,
        expected: `version ${wrong + 1} next`,
        found: `version ${event.version} at offset ${event.offset}`,
        operations: evidence.appendsOf(event),
      }
    }
  },
}
