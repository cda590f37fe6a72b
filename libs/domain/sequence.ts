import type { RecordedEvent } from './event.ts'
import { InvalidInputError } from './invalid-input.ts'
import type { StreamId } from './stream-id.ts'
import { type Version, versionAfter } from './version.ts'

/**
 * Checks that the events belong to one stream and follow version `after` without a gap: `after + 1`, `after + 2` …
 * @param after the version before the first event; 0 for a whole stream.
 * @returns the version of the last event, or `after` when there are no events.
 * @throws InvalidInputError that names the first event that breaks the sequence (`events[3]`).
 */
export function validateSequence(
  streamId: StreamId,
  after: Version,
  events: readonly Pick<RecordedEvent, 'streamId' | 'version'>[],
): Version {
  let last = after
  for (const [index, event] of events.entries()) {
    if (event.streamId !== streamId) {
      throw brokenAt(index, `belongs to stream ${event.streamId}, expected ${streamId}`)
    }
    const expected = versionAfter(last)
    if (event.version !== expected) {
      throw brokenAt(index, `of stream ${streamId} has version ${event.version}, expected ${expected}`)
    }
    last = expected
  }
  return last
}

const brokenAt = (index: number, what: string): InvalidInputError =>
  new InvalidInputError(`events[${index}]`, `sequence is broken: events[${index}] ${what}`)
