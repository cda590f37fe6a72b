import type { AppendOperation, LoggedEvent } from '../../history.ts'
import { eventKey, type Evidence } from '../evidence.ts'
import type { Promised } from './promised.ts'

/** The events of one append are in the log all together, one right after the other, or not at all. */
export const wholeBatches: Promised = {
  name: 'batches are whole',
  *broken(evidence) {
    for (const operation of evidence.operations) {
      if (operation.kind !== 'append' || operation.outcome.is === 'refused') continue
      const places = placesOf(operation, evidence)
      if (places.every((place) => place === undefined) || isOnePiece(places)) continue
      yield {
        where: operation.streamId,
        streamId: operation.streamId,
        expected: `all of ${operation.events.map(({ id }) => id).join(', ')} next to each other, or none`,
        found: places
          .map((place) => (place ? `version ${place.version} at offset ${place.offset}` : 'missing'))
          .join(', '),
        operations: [operation],
      }
    }
  },
}

const placesOf = ({ streamId, events }: AppendOperation, { logged }: Evidence): (LoggedEvent | undefined)[] =>
  events.map(({ id }) => logged.get(eventKey(streamId, id))?.[0])

const isOnePiece = ([first, ...others]: readonly (LoggedEvent | undefined)[]): boolean =>
  first !== undefined &&
  others.every(
    (place, index) =>
      place?.version === first.version + index + 1 && place.offset === first.offset + index + 1,
  )
