import type { LoggedEvent } from '../../history.ts'
import type { Promised } from './promised.ts'

/** A stream is in one partition of its type's topic, and the order of the log is the order of its versions. */
export const versionOrder: Promised = {
  name: 'log order is version order',
  *broken(evidence) {
    for (const [streamId, events] of evidence.streams) {
      for (const [index, event] of events.entries()) {
        const before = events[index - 1]
        if (before === undefined || follows(before, event)) continue
        yield {
          where: streamId,
          streamId,
          expected: `a version after ${before.version}, behind ${placeOf(before)}`,
          found: `version ${event.version} at ${placeOf(event)}`,
          operations: [...evidence.appendsOf(before), ...evidence.appendsOf(event)],
        }
        break
      }
    }
  },
}

const follows = (before: LoggedEvent, event: LoggedEvent): boolean =>
  event.topic === before.topic &&
  event.partition === before.partition &&
  event.offset > before.offset &&
  event.version > before.version

const placeOf = ({ topic, partition, offset }: LoggedEvent): string => `${topic}/${partition}/${offset}`
