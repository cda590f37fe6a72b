import type { AppendOperation, LoggedEvent, Operation } from '../../history.ts'
import { isMet } from '../linear/stream-writes.ts'

type OfStream = Exclude<Operation, { kind: 'view' }>

/**
 * Whether the operations are linearizable, by the definition: tries every order that respects time, in which each
 * response is what a sequential store would give, and which ends with this log. Takes exponential time, so it is only
 * for a few operations.
 * @param log of the stream, in the order of versions
 */
export function isLinearizable(operations: readonly OfStream[], log: readonly LoggedEvent[]): boolean {
  return canGoOn(0, operations, log)
}

function canGoOn(version: number, left: readonly OfStream[], log: readonly LoggedEvent[]): boolean {
  if (version === log.length && left.every(({ outcome }) => outcome.is === 'unknown')) return true
  const firstEndMs = Math.min(
    ...left.filter(({ outcome }) => outcome.is !== 'unknown').map(({ endedAtMs }) => endedAtMs),
  )
  return left
    .filter(({ calledAtMs }) => calledAtMs <= firstEndMs)
    .some((next) =>
      versionsAfter(next, version, log).some((after) =>
        canGoOn(
          after,
          left.filter((other) => other !== next),
          log,
        ),
      ),
    )
}

/** The possible versions of the stream after the operation with this response; none if the response was impossible. */
function versionsAfter(operation: OfStream, version: number, log: readonly LoggedEvent[]): readonly number[] {
  const only = (isPossible: boolean) => (isPossible ? [version] : [])
  switch (operation.kind) {
    case 'append':
      return afterAppend(operation, version, log)
    case 'state':
      return only(operation.outcome.is === 'unknown' || operation.outcome.version === version)
    case 'read': {
      if (operation.outcome.is === 'unknown') return [version]
      const last = operation.outcome.events.at(-1)?.version
      return only(last === undefined ? version < operation.fromVersion : version === last)
    }
  }
}

function afterAppend(
  append: AppendOperation,
  version: number,
  log: readonly LoggedEvent[],
): readonly number[] {
  const { outcome, events } = append
  const isNext = events.every(({ id }, index) => log[version + index]?.id === id) && isMet(append, version)
  const effect = isNext ? [version + events.length] : []
  const isKnown = log.slice(0, version).some(({ id }) => events.some((event) => event.id === id))
  switch (outcome.is) {
    case 'unknown':
      return [...effect, version]
    case 'refused': {
      const isRight = outcome.actualVersion === version && !isKnown && !isMet(append, version)
      return isRight ? [version] : []
    }
    case 'acknowledged':
      // An append that was sent, lost and found again is reported as its own duplicate.
      return outcome.duplicate && isKnown ? [version, ...effect] : effect
  }
}
