import { type Position, position } from '#domain'
import type { ApplyParkedOutcome, ParkedEvent, ParkedPage, ViewChange, ViewSet } from '#projections'

import { changeViews } from './change-views.ts'
import type { Sql } from './database.ts'
import type { SqlNames } from './names.ts'
import { idOf } from './tables.ts'
import { millisecondsOf } from './time.ts'

interface ParkedRow {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly error: string
  readonly parkedAtMs: number
}

/** Implements ParkedEvents.list. */
export async function parkedEvents(
  sql: Sql,
  { parked }: SqlNames,
  set: ViewSet,
  { offset, limit }: ParkedPage,
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

/** Implements ParkedEvents.apply. The caller rolls back all outcomes but `applied`. */
export async function applyParked(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  { topic, partition, offset }: Position,
  changes: readonly ViewChange[],
): Promise<ApplyParkedOutcome> {
  const generations = await sql.query(
    `SELECT 1 FROM ${names.generations} WHERE projection = $1 AND generation = $2 AND status <> 'retired' AND damage IS NULL`,
    idOf(set),
  )
  if (generations.length === 0) return 'gone'
  const taken = await sql.query(
    `DELETE FROM ${names.parked} WHERE projection = $1 AND generation = $2
       AND topic = $3 AND partition = $4 AND event_offset = $5 RETURNING 1`,
    [...idOf(set), topic, partition, offset],
  )
  if (taken.length === 0) return 'not-parked'
  const counts = await changeViews(sql, names, set, changes)
  if (counts === undefined) return 'view-changed'
  await sql.query(
    `UPDATE ${names.generations} SET views = views + $3, unpublished = unpublished + $4
     WHERE projection = $1 AND generation = $2`,
    [...idOf(set), counts.views, counts.unpublished],
  )
  return 'applied'
}

/** Implements ParkedEvents.drop. */
export async function dropParked(
  sql: Sql,
  { parked }: SqlNames,
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
