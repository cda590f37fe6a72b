import type { Evidence } from '../evidence.ts'
import { eventKey } from '../evidence.ts'
import type { AppendOperation, LoggedEvent } from '../../history.ts'
import type { Finding } from '../violation.ts'
import type { Promised } from './promised.ts'

/** Acknowledged events are in the log, at the versions and the position that the response named. */
export const acknowledgedStays: Promised = {
  name: 'acknowledged events are where the answer said',
  *broken(evidence) {
    for (const operation of evidence.operations) {
      if (operation.kind !== 'append' || operation.outcome.is !== 'acknowledged') continue
      const finding = judge(operation, evidence)
      if (finding !== undefined) yield { where: operation.streamId, streamId: operation.streamId, ...finding }
    }
  },
}

function judge(
  operation: AppendOperation,
  evidence: Evidence,
): Omit<Finding, 'where' | 'streamId'> | undefined {
  const { outcome, events, streamId } = operation
  if (outcome.is !== 'acknowledged') return undefined
  const { firstVersion, lastVersion, position, eventIds } = outcome
  const operations = [operation]
  const ids = events.map(({ id }) => id)
  if (ids.join() !== eventIds.join() || lastVersion - firstVersion + 1 !== ids.length) {
    const found = `versions ${firstVersion} to ${lastVersion} for ${eventIds.join(', ')}`
    return { expected: `an answer for ${ids.join(', ')}`, found, operations }
  }
  for (const [index, id] of ids.entries()) {
    const places = evidence.logged.get(eventKey(streamId, id)) ?? []
    const version = firstVersion + index
    const isLast = index === ids.length - 1
    if (places.some((place) => place.version === version && (!isLast || isAt(place, position)))) continue
    const at = isLast ? ` at ${position.topic}/${position.partition}/${position.offset}` : ''
    return { expected: `event ${id} as version ${version}${at}`, found: described(places), operations }
  }
  return undefined
}

const isAt = (event: LoggedEvent, at: Pick<LoggedEvent, 'topic' | 'partition' | 'offset'>): boolean =>
  event.topic === at.topic && event.partition === at.partition && event.offset === at.offset

const described = (places: readonly LoggedEvent[]): string =>
  places.length === 0
    ? 'it is not in the log'
    : places.map((at) => `version ${at.version} at ${at.topic}/${at.partition}/${at.offset}`).join(', ')
