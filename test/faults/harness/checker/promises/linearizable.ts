import type { Operation } from '../../history.ts'
import { eventKey, type Evidence } from '../evidence.ts'
import { Moments } from '../linear/moments.ts'
import { observed } from '../linear/observations.ts'
import { causesOf, isMet, type StreamWrite, streamWrites } from '../linear/stream-writes.ts'
import type { Finding } from '../violation.ts'
import type { Promised } from './promised.ts'

type Found = Pick<Finding, 'expected' | 'found' | 'operations'>

/**
 * Each operation on a stream seems to happen at one moment between its call and its response: appends with an expected
 * version compare and set, and a read observes everything acknowledged before, and never half an append. See Herlihy
 * and Wing, Linearizability (1990). Finding an order is hard in general; here the versions in the log give the order,
 * and only moments are needed.
 */
export const linearizable: Promised = {
  name: 'streams are linearizable',
  *broken(evidence) {
    for (const streamId of evidence.streamIds) {
      for (const found of judge(evidence, streamId)) yield { where: streamId, streamId, ...found }
    }
  },
}

function* judge(evidence: Evidence, streamId: string): Generator<Found> {
  const writes = streamWrites(evidence, streamId)
  const moments = new Moments(writes.length)
  for (const [index, write] of writes.entries()) {
    const unmet = placeWrite(moments, index, write)
    if (unmet !== undefined) yield unmet
  }
  const places = writes.flatMap(({ firstVersion, lastVersion }, index) =>
    Array.from({ length: lastVersion - firstVersion + 1 }, () => index),
  )
  for (const operation of evidence.ofStream(streamId)) {
    const wrong = wronglyRefused(evidence, operation) ?? placeObservation(moments, operation, writes, places)
    if (wrong !== undefined) yield wrong
  }
  const impossible = moments.impossible()
  if (impossible === undefined) return
  const { write, earliestMs, latestMs, operations } = impossible
  const { firstVersion, lastVersion, senders } = writes[write] as StreamWrite
  yield {
    expected: `versions ${firstVersion} to ${lastVersion} by ${latestMs.toFixed(3)} ms, when an answer shows them`,
    found: `they came after ${earliestMs.toFixed(3)} ms: an earlier one was sent only then, or a response came without them`,
    operations: [...senders, ...operations],
  }
}

function placeWrite(moments: Moments, index: number, write: StreamWrite): Found | undefined {
  const { senders, firstVersion } = write
  for (const sender of senders) if (sender.outcome.is === 'acknowledged') moments.notAfter(index, sender)
  const [first] = causesOf(write).toSorted((one, other) => one.calledAtMs - other.calledAtMs)
  if (first !== undefined) moments.notBefore(index, first)
  if (first !== undefined || senders.length === 0) return undefined
  return {
    expected: `no append that expects ${String(senders[0]?.expectedVersion)} at version ${firstVersion - 1}`,
    found: `its events from version ${firstVersion} on`,
    operations: senders,
  }
}

/** @param places of each version, from 1: the index of its write */
function placeObservation(
  moments: Moments,
  operation: Parameters<typeof observed>[0],
  writes: readonly StreamWrite[],
  places: readonly number[],
): Found | undefined {
  const seen = observed(operation)
  if (seen === undefined) return undefined
  if ('before' in seen) {
    moments.notBefore(places[seen.before - 1] ?? writes.length, operation)
    return undefined
  }
  const { exactly } = seen
  const write = exactly === 0 ? -1 : places[exactly - 1]
  const operations: readonly Operation[] = [operation]
  if (write === undefined) {
    return { expected: `at most version ${places.length}`, found: `version ${exactly}`, operations }
  }
  const lastVersion = writes[write]?.lastVersion ?? 0
  if (lastVersion !== exactly) {
    const found = `version ${exactly}: half of an append`
    return { expected: `all versions up to ${lastVersion}`, found, operations }
  }
  moments.notAfter(write, operation)
  moments.notBefore(write + 1, operation)
  return undefined
}

/** Rejected for its expected version, although the stream was at that version or had its events already. */
function wronglyRefused(evidence: Evidence, operation: Parameters<typeof observed>[0]): Found | undefined {
  if (operation.kind !== 'append' || operation.outcome.is !== 'refused') return undefined
  const { streamId, events, expectedVersion } = operation
  const { actualVersion, code } = operation.outcome
  if (actualVersion === undefined) return undefined
  const known = events
    .flatMap(({ id }) => evidence.logged.get(eventKey(streamId, id)) ?? [])
    .find(({ version }) => version <= actualVersion)
  const operations = [...(known === undefined ? [] : evidence.appendsOf(known)), operation]
  if (known !== undefined) {
    return {
      expected: `the first answer: event ${known.id} is version ${known.version}`,
      found: code,
      operations,
    }
  }
  if (!isMet(operation, actualVersion)) return undefined
  const expected = `the append at version ${actualVersion}: it expects ${expectedVersion}`
  return { expected, found: code, operations }
}
