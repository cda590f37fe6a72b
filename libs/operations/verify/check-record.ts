import { aggregateTypeOf, parseEventId, partitionFor } from '#domain'
import { type StoredEvent, storedEvent } from '#event-log/records'
import type { StoredRecord } from '#kafka'

/** One partition of an event topic. */
export interface LogPartition {
  readonly aggregateType: string
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  /** Number of partitions of the topic. */
  readonly partitions: number
}

export interface RecordProblem {
  readonly code: string
  readonly message: string
}

interface CheckedRecord {
  /** Undefined if the record is not an event. */
  readonly event: StoredEvent | undefined
  readonly problems: readonly RecordProblem[]
}

/** A clock that is more than a day ahead is wrong. */
const aheadMsMax = 24 * 3_600_000

/** Checks a record on its own: headers, key, partition, time. */
export function checkRecord(record: StoredRecord, place: LogPartition, nowMs = Date.now()): CheckedRecord {
  let event: StoredEvent
  try {
    event = storedEvent(record)
  } catch (error) {
    return { event: undefined, problems: [{ code: 'not-an-event', message: (error as Error).message }] }
  }
  const problems = [
    ...problemsOfHeaders(record, event),
    ...problemsOfPlace(record, event, place),
    ...problemsOfTime(record, event, nowMs),
  ]
  return { event, problems }
}

function problemsOfHeaders({ headers }: StoredRecord, { id }: StoredEvent): RecordProblem[] {
  const problems: RecordProblem[] = []
  const isId = attempt(() => parseEventId(id))
  if (!isId) problems.push({ code: 'wrong-header', message: `ce_id is ${quoted(id)}: expected a UUID` })
  for (const [name, expected] of fixedHeaders) {
    const actual = headers.find(([header]) => header === name)?.[1].toString()
    if (actual === expected) continue
    const message = `${name} is ${actual === undefined ? 'missing' : quoted(actual)}: expected ${expected}`
    problems.push({ code: 'wrong-header', message })
  }
  return problems
}

const fixedHeaders = [
  ['ce_specversion', '1.0'],
  ['content-type', 'application/avro'],
] as const

function problemsOfPlace(
  { key }: StoredRecord,
  { streamId }: StoredEvent,
  place: LogPartition,
): RecordProblem[] {
  const problems: RecordProblem[] = []
  const keyText = key.toString()
  if (keyText !== streamId) {
    problems.push({ code: 'wrong-key', message: `the key is ${quoted(keyText)}, ce_subject is ${streamId}` })
  }
  if (aggregateTypeOf(streamId) !== place.aggregateType) {
    problems.push({ code: 'wrong-topic', message: `${streamId} does not belong to ${place.topic}` })
  }
  const rightful = partitionFor(streamId, place.partitions)
  if (rightful !== place.partition) {
    const message = `${streamId} belongs to partition ${rightful} of ${place.partitions}`
    problems.push({ code: 'wrong-partition', message })
  }
  return problems
}

function problemsOfTime(
  { timestampMs }: StoredRecord,
  { timestamp }: StoredEvent,
  nowMs: number,
): RecordProblem[] {
  const eventMs = Date.parse(timestamp)
  if (!(eventMs >= 0)) {
    return [{ code: 'wrong-time', message: `ce_time is ${quoted(timestamp)}: expected a time since 1970` }]
  }
  if (eventMs > nowMs + aheadMsMax) {
    return [{ code: 'wrong-time', message: `ce_time is ${timestamp}, more than a day ahead of this clock` }]
  }
  if (eventMs === timestampMs) return []
  const recordTime = timestampMs >= 0 ? new Date(timestampMs).toISOString() : String(timestampMs)
  return [{ code: 'wrong-time', message: `ce_time is ${timestamp}, the record's time is ${recordTime}` }]
}

function attempt(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch {
    return false
  }
}

const quoted = (text: string): string => JSON.stringify(text)
