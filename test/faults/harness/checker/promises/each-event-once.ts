import { eventKey } from '../evidence.ts'
import type { Promised } from './promised.ts'

/** However often it was sent, and whatever the responses: an event is in the log at most once. */
export const eachEventOnce: Promised = {
  name: 'each event is in the log at most once',
  *broken(evidence) {
    for (const events of evidence.logged.values()) {
      const [first] = events
      if (first === undefined || events.length === 1) continue
      yield {
        where: eventKey(first.streamId, first.id),
        streamId: first.streamId,
        expected: 'once',
        found: `at versions ${events.map(({ version, offset }) => `${version} (offset ${offset})`).join(', ')}`,
        operations: evidence.appendsOf(first),
      }
    }
  },
}
