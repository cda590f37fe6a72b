import type { Operation, Remains } from '../history.ts'
import { countedEvents } from './counted.ts'
import type { Decrees } from './decree.ts'
import { decreed, noDecrees } from './decrees.ts'
import { Evidence } from './evidence.ts'
import { promises } from './promises/index.ts'
import type { Promised } from './promises/promised.ts'
import { shortestHistory } from './shortest-history.ts'
import type { Finding, Violation } from './violation.ts'

/** Violations reported per promise. The rest is usually the same fault again. */
const reportedMax = 5

/**
 * Judges a history together with the state that remains after it. It is independent of the product: the two share no
 * code.
 * @param decrees what was removed on purpose
 * @returns the violations, at most five for each promise; none if all were kept
 */
export function check(
  recorded: readonly Operation[],
  found: Remains,
  decrees: Decrees = noDecrees,
): Violation[] {
  const { history, remains } = decreed(
    { history: recorded, remains: { ...found, log: countedEvents(found) } },
    decrees,
  )
  const evidence = new Evidence(history, remains)
  return promises.flatMap((promised) => {
    const findings = [...promised.broken(evidence)].slice(0, reportedMax)
    return findings.map((finding) => violationOf(promised, finding, remains))
  })
}

function violationOf(promised: Promised, { streamId, ...finding }: Finding, remains: Remains): Violation {
  const concerned = streamId === undefined ? remains : ofStream(remains, streamId)
  const shows = (operations: readonly Operation[]) =>
    [...promised.broken(new Evidence(operations, concerned))].some(
      ({ where, expected, found }) =>
        where === finding.where && expected === finding.expected && found === finding.found,
    )
  const operations = finding.operations.toSorted((one, other) => one.op - other.op)
  return { promise: promised.name, ...finding, operations: shortestHistory(operations, shows) }
}

const ofStream = (remains: Remains, streamId: string): Remains => ({
  log: remains.log.filter((event) => event.streamId === streamId),
  markers: [],
  starts: [],
  index: remains.index.filter((entry) => entry.streamId === streamId),
  snapshots: remains.snapshots.filter((snapshot) => snapshot.streamId === streamId),
  views: [],
  projections: [],
})
