import { formatPosition, type Position, position } from '#domain'
import { storedEvent } from '#event-log/records'
import type { LogReader, StoredRecord } from '#kafka'

import type { LogPartition } from './check-record.ts'
import { hashOf } from './id-hashes.ts'
import type { Findings } from './finding.ts'
import type { StreamSample } from './sample.ts'

interface Occurrence {
  readonly id: string
  readonly position: Position
  readonly streamId: string
  readonly version: number
}

/** The maximum of suspects to examine. A log with more has enough findings. */
const suspectsMax = 100_000

/** Reads a partition again, and reports the events whose ids occur twice in their stream. @throws LogError */
export async function reportRepeatedIds(
  hashes: ReadonlySet<number>,
  place: LogPartition,
  sample: StreamSample,
  reader: LogReader,
  findings: Findings,
): Promise<void> {
  if (hashes.size === 0) return
  const byId = new Map<string, Occurrence[]>()
  let suspects = 0
  for await (const { id, ...occurrence } of occurrences(place, reader, sample)) {
    if (!hashes.has(hashOf(occurrence.streamId, id)) || suspects >= suspectsMax) continue
    suspects++
    const key = `${occurrence.streamId}/${id}`
    byId.set(key, [...(byId.get(key) ?? []), { id, ...occurrence }])
  }
  for (const [first, ...others] of byId.values()) {
    for (const other of others) if (first !== undefined) report(first, other, findings)
  }
}

async function* occurrences({ topic, partition }: LogPartition, reader: LogReader, sample: StreamSample) {
  const from = await reader.startOffset(topic, partition)
  for await (const records of reader.read(topic, partition, { from })) {
    for (const record of records) {
      const event = sample.has(record.key.toString()) ? eventOf(record) : undefined
      if (event === undefined) continue
      const { id, streamId, version, offset } = event
      yield { id, streamId, version, position: position(topic, partition, offset) }
    }
  }
}

/** Undefined for a record that is not an event, which the first read has reported. */
function eventOf(record: StoredRecord) {
  try {
    return storedEvent(record)
  } catch {
    return undefined
  }
}

function report(first: Occurrence, other: Occurrence, findings: Findings): void {
  const { id, position: place, streamId, version } = other
  const { topic, partition, offset } = place
  const message = `event id ${id} is also that of version ${first.version} at ${formatPosition(first.position)}`
  findings.add('log', 'event-id-twice', message, { topic, partition, offset, streamId, version })
}
