import { type Position, position, type TopicPartition } from '#domain'
import type { ParkedEvent, Stop, StoredProjection, ViewSet } from '#projections'

import type { Sql } from './database.ts'
import type { Names } from './names.ts'
import { idOf } from './tables.ts'
import { millisecondsOf, timeOf } from './time.ts'

interface ParkedRow {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly error: string
  readonly parkedAtMs: number
}

/** Behaves as ViewStore.stop; the lock keeps the generation from being discarded meanwhile. */
export async function stop(
  sql: Sql,
  { generations, stops }: Names,
  set: ViewSet,
  { topic, partition }: TopicPartition,
  { position: event, error, stoppedAtMs }: Stop,
): Promise<void> {
  await sql.query(
    `INSERT INTO ${stops} (projection, generation, topic, partition, event_offset, error, stopped_at)
     SELECT projection, generation, $3, $4, $5, $6, ${timeOf('$7')}
     FROM ${generations} WHERE projection = $1 AND generation = $2 FOR KEY SHARE
     ON CONFLICT (projection, generation, topic, partition)
     DO UPDATE SET event_offset = excluded.event_offset, error = excluded.error, stopped_at = excluded.stopped_at`,
    [...idOf(set), topic, partition, event.offset, withoutNul(error), stoppedAtMs],
  )
}

/** PostgreSQL keeps all text but that with U+0000, which the messages of errors may quote. */
export const withoutNul = (text: string): string => text.replaceAll('\0', '\ufffd')

/** Behaves as ViewStore.resume. */
export async function resume(
  sql: Sql,
  { stops }: Names,
  { name }: StoredProjection,
  source: TopicPartition | undefined,
): Promise<number> {
  const resumed = await sql.query(
    `DELETE FROM ${stops} WHERE projection = $1
       AND ($2::text IS NULL OR (topic = $2 AND partition = $3)) RETURNING 1`,
    [name, source?.topic, source?.partition],
  )
  return resumed.length
}

/** Behaves as ViewStore.parked. */
export async function parkedEvents(
  sql: Sql,
  { parked }: Names,
  set: ViewSet,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<readonly ParkedEvent[]> {
  const rows = await sql.query<ParkedRow>(
    `SELECT topic, partition, event_offset AS offset, error, ${millisecondsOf('parked_at')} AS "parkedAtMs"
     FROM ${parked} WHERE projection = $1 AND generation = $2
     ORDER BY parked_at, topic, partition, event_offset OFFSET $3 LIMIT $4`,
    [...idOf(set), offset, limit],
  )
  return rows.map(({ topic, partition, offset: at, error, parkedAtMs }) => ({
    position: position(topic, partition, at),
    error,
    parkedAtMs,
  }))
}

/** Behaves as ViewStore.dropParked. */
export async function dropParked(
  sql: Sql,
  { parked }: Names,
  set: ViewSet,
  positions: readonly Position[],
): Promise<number> {
  const dropped = await sql.query(
    `DELETE FROM ${parked} USING unnest($3::text[], $4::int[], $5::bigint[]) AS given (topic, partition, event_offset)
     WHERE projection = $1 AND generation = $2
       AND ${parked}.topic = given.topic AND ${parked}.partition = given.partition
       AND ${parked}.event_offset = given.event_offset RETURNING 1`,
    [
      ...idOf(set),
      positions.map(({ topic }) => topic),
      positions.map(({ partition }) => partition),
      positions.map(({ offset }) => offset),
    ],
  )
  return dropped.length
}
