import type { Promised } from './promised.ts'

/** An event whose appends were all rejected is not in the log. */
export const refusedAbsent: Promised = {
  name: 'refused events are nowhere',
  *broken(evidence) {
    for (const event of evidence.remains.log) {
      const operations = evidence.appendsOf(event)
      if (operations.length === 0 || operations.some(({ outcome }) => outcome.is !== 'refused')) continue
      yield {
        where: event.streamId,
        streamId: event.streamId,
        expected: `no event ${event.id}: every append of it was refused`,
        found: `version ${event.version} at offset ${event.offset}`,
        operations,
      }
    }
  },
}
