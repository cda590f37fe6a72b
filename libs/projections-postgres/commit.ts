import type { CommitOutcome, ParkedEvent, ViewCommit, ViewSet } from '#projections'

import { changeViews, type CountChange } from './change-views.ts'
import type { Sql } from './database.ts'
import type { SqlNames } from './names.ts'
import { withoutNul } from './storable-text.ts'
import { idOf } from './tables.ts'
import { timeOf } from './time.ts'

interface CommitGuard {
  readonly status: string
  readonly held: boolean
  readonly checkpoint: number | null
  readonly damage: string | null
}

/** Implements Views.commit under the projection's shared lock. The caller rolls back all outcomes but `committed`. */
export async function commit(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  step: ViewCommit,
  nowMs: number,
): Promise<CommitOutcome> {
  const guard = await guardOf(sql, names, set, step, nowMs)
  if (guard === undefined || guard.status === 'retired' || guard.damage !== null) return 'gone'
  if ((guard.checkpoint ?? undefined) !== step.from) return 'checkpoint-moved'
  if (step.from === undefined && !(await beginCheckpoint(sql, names, set, step))) return 'checkpoint-moved'
  if (guard.held) return 'held'
  const counts = await changeViews(sql, names, set, step.changes)
  if (counts === undefined) return 'view-changed'
  await moveCheckpoint(sql, names, set, step, counts)
  if (step.parked.length > 0) await park(sql, names, set, step.parked)
  return 'committed'
}

/** Locks the checkpoint, if there is one. */
async function guardOf(
  sql: Sql,
  { generations, checkpoints }: SqlNames,
  set: ViewSet,
  { source }: ViewCommit,
  nowMs: number,
): Promise<CommitGuard | undefined> {
  const rows = await sql.query<CommitGuard>(
    `SELECT status, damage, coalesce(held_until > ${timeOf('$5')}, false) AS held,
       (SELECT next_offset FROM ${checkpoints}
        WHERE projection = $1 AND generation = $2 AND topic = $3 AND partition = $4 FOR UPDATE) AS checkpoint
     FROM ${generations} WHERE projection = $1 AND generation = $2`,
    [...idOf(set), source.topic, source.partition, nowMs],
  )
  return rows[0]
}

/** A missing row cannot be locked. @returns false when another step has inserted the first checkpoint in the meantime. */
async function beginCheckpoint(
  sql: Sql,
  { checkpoints }: SqlNames,
  set: ViewSet,
  { source, to }: ViewCommit,
): Promise<boolean> {
  const begun = await sql.query(
    `INSERT INTO ${checkpoints} (projection, generation, topic, partition, next_offset, views, unpublished)
     VALUES ($1, $2, $3, $4, $5, 0, 0) ON CONFLICT DO NOTHING RETURNING 1`,
    [...idOf(set), source.topic, source.partition, to],
  )
  return begun.length > 0
}

async function moveCheckpoint(
  sql: Sql,
  { checkpoints }: SqlNames,
  set: ViewSet,
  { source, to }: ViewCommit,
  { views, unpublished }: CountChange,
): Promise<void> {
  await sql.query(
    `UPDATE ${checkpoints} SET next_offset = $5, views = views + $6, unpublished = unpublished + $7
     WHERE projection = $1 AND generation = $2 AND topic = $3 AND partition = $4`,
    [...idOf(set), source.topic, source.partition, to, views, unpublished],
  )
}

async function park(
  sql: Sql,
  { parked }: SqlNames,
  set: ViewSet,
  events: readonly ParkedEvent[],
): Promise<void> {
  await sql.query(
    `INSERT INTO ${parked} (projection, generation, topic, partition, event_offset, error, parked_at)
     SELECT $1, $2, topic, partition, event_offset, error, ${timeOf('parked_at')}
     FROM unnest($3::text[], $4::int[], $5::bigint[], $6::text[], $7::float8[])
       AS event (topic, partition, event_offset, error, parked_at)
     ON CONFLICT (projection, generation, topic, partition, event_offset)
     DO UPDATE SET error = excluded.error, parked_at = excluded.parked_at`,
    [
      ...idOf(set),
      events.map(({ position }) => position.topic),
      events.map(({ position }) => position.partition),
      events.map(({ position }) => position.offset),
      events.map(({ error }) => withoutNul(error)),
      events.map(({ parkedAtMs }) => parkedAtMs),
    ],
  )
}
