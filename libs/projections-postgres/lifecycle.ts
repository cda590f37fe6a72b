import {
  type AddOptions,
  type Generation,
  type GenerationStatus,
  type NewGeneration,
  statusOfNew,
  type StoredProjection,
  type SwitchOutcome,
  type ViewSet,
} from '#projections'

import type { Sql } from './database.ts'
import { generationRows } from './generation-rows.ts'
import type { SqlNames } from './names.ts'
import { commentOf, createViewTables, dropGeneration, idOf, showGeneration } from './tables.ts'
import { timeOf } from './time.ts'

// All of these run under the projection's exclusive lock, so that what they read does not change.

/** Implements Generations.add. */
export async function addGeneration(
  sql: Sql,
  names: SqlNames,
  projection: StoredProjection,
  generation: NewGeneration,
  { ifNeeded = false, insteadOf }: AddOptions,
): Promise<boolean> {
  const rows = await generationRows(sql, names, projection)
  if (rows.some(({ id }) => id === generation.id)) return false
  if (insteadOf !== undefined) {
    if (!rows.some(({ id, status }) => id === insteadOf && status !== 'retired')) return false
    await setStatus(sql, names, { projection, generation: insteadOf }, 'retired')
  }
  const current = rows.filter(
    ({ id, status }) => id !== insteadOf && (status === 'serving' || status === 'building'),
  )
  if (ifNeeded && current.some(({ viewVersion }) => viewVersion >= generation.viewVersion)) return false
  const status = statusOfNew(generation, current)
  if (status === 'building') await retireBuilding(sql, names, projection)
  const set = { projection, generation: generation.id }
  await sql.query(
    `INSERT INTO ${names.generations} (projection, generation, status, definition, views_table)
     VALUES ($1, $2, $3, $4::jsonb, $5)`,
    [...idOf(set), status, JSON.stringify(generation), names.views(set)],
  )
  await createViewTables(sql, names, set, generation.indexNames)
  if (status === 'serving') await showGeneration(sql, names, set, generation.indexNames)
  await adoptOrphans(sql, names, projection)
  return true
}

/**
 * Adds generations whose tables exist but whose rows were lost. They are added as retired, so that they are discarded.
 * The comments on the tables name them.
 */
async function adoptOrphans(sql: Sql, names: SqlNames, projection: StoredProjection): Promise<void> {
  const found = await sql.query<{ generation: string }>(
    `SELECT substr(obj_description(oid, 'pg_class'), length($2) + 1) AS generation FROM pg_class
     WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND relname LIKE '\\_views\\_%'
       AND starts_with(obj_description(oid, 'pg_class'), $2)`,
    [names.schemaName, commentOf({ projection, generation: '' })],
  )
  for (const { generation } of found) {
    const set = { projection, generation }
    const nothing: NewGeneration = {
      ...{ id: generation, viewVersion: 0, indexNames: [], createdAtMs: 0, topicIds: {}, range: {} },
    }
    await sql.query(
      `INSERT INTO ${names.generations} (projection, generation, status, definition, views_table)
       VALUES ($1, $2, 'retired', $3::jsonb, $4) ON CONFLICT DO NOTHING`,
      [...idOf(set), JSON.stringify(nothing), names.views(set)],
    )
  }
}

async function retireBuilding(
  sql: Sql,
  { generations }: SqlNames,
  { name }: StoredProjection,
): Promise<void> {
  await sql.query(
    `UPDATE ${generations} SET status = 'retired' WHERE projection = $1 AND status = 'building'`,
    [name],
  )
}

/** Implements Generations.switchTo. */
export async function switchTo(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  heldUntilMs: number,
): Promise<SwitchOutcome> {
  const rows = await generationRows(sql, names, set.projection)
  const next = rows.find(({ id }) => id === set.generation)
  if (next?.status === 'serving') return 'switched'
  if (next?.status !== 'building' || next.damage !== undefined) return 'gone'
  const serving = rows.find(({ status }) => status === 'serving')
  if (serving !== undefined) {
    const old = { projection: set.projection, generation: serving.id }
    if (await isBehind(sql, names, next, serving, set)) {
      await hold(sql, names, old, heldUntilMs)
      return 'behind'
    }
    await setStatus(sql, names, old, 'retired')
  }
  await setStatus(sql, names, set, 'serving')
  await showGeneration(sql, names, set, next.indexNames)
  return 'switched'
}

/** Whether a generation is behind another one in any partition that they share. */
async function isBehind(
  sql: Sql,
  { checkpoints }: SqlNames,
  next: Generation,
  serving: Generation,
  { projection }: ViewSet,
): Promise<boolean> {
  // A topic with another id is another log.
  const topics = Object.keys(serving.topicIds).filter((it) => serving.topicIds[it] === next.topicIds[it])
  const rows = await sql.query(
    `SELECT 1 FROM ${checkpoints} goal LEFT JOIN ${checkpoints} own
       ON own.projection = $1 AND own.generation = $2
       AND (own.topic, own.partition) = (goal.topic, goal.partition)
     WHERE goal.projection = $1 AND goal.generation = $3 AND goal.topic = ANY($4::text[])
       AND coalesce(own.next_offset, 0) < goal.next_offset LIMIT 1`,
    [projection.name, next.id, serving.id, topics],
  )
  return rows.length > 0
}

async function hold(sql: Sql, { generations }: SqlNames, set: ViewSet, untilMs: number): Promise<void> {
  await sql.query(
    `UPDATE ${generations} SET held_until = ${timeOf('$3')} WHERE projection = $1 AND generation = $2`,
    [...idOf(set), untilMs],
  )
}

async function setStatus(
  sql: Sql,
  { generations }: SqlNames,
  set: ViewSet,
  status: GenerationStatus,
): Promise<void> {
  await sql.query(`UPDATE ${generations} SET status = $3 WHERE projection = $1 AND generation = $2`, [
    ...idOf(set),
    status,
  ])
}

/** Implements Generations.retire. */
export async function retire(sql: Sql, { generations }: SqlNames, set: ViewSet): Promise<boolean> {
  const retired = await sql.query(
    `UPDATE ${generations} SET status = 'retired'
     WHERE projection = $1 AND generation = $2 AND status <> 'serving' RETURNING 1`,
    idOf(set),
  )
  return retired.length > 0
}

/** Implements Generations.discard. */
export async function discard(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  limit: number,
  nowMs: number,
): Promise<boolean> {
  const rows = await generationRows(sql, names, set.projection)
  const status = rows.find(({ id }) => id === set.generation)?.status
  if (status === undefined) return true
  if (status !== 'retired') return false
  if (!(await haveKeys(sql, names, set))) {
    await dropGeneration(sql, names, set)
    return true
  }
  // One key more than the limit shows whether these are all.
  const keys = await keysOf(sql, names, set, limit + 1)
  const serving = rows.find((row) => row.status === 'serving')
  if (serving !== undefined) {
    const readers = { projection: set.projection, generation: serving.id }
    await noteAbsent(sql, names, readers, keys.slice(0, limit), nowMs)
  }
  if (keys.length <= limit) await dropGeneration(sql, names, set)
  else await takeAway(sql, names, set, keys.slice(0, limit))
  return keys.length <= limit
}

/** Whether both of a generation's tables, and their keys, are still there. */
async function haveKeys(sql: Sql, names: SqlNames, set: ViewSet): Promise<boolean> {
  const tables = await sql.query(
    `SELECT 1 FROM pg_attribute WHERE attrelid IN (to_regclass($1), to_regclass($2)) AND attname = 'key' AND NOT attisdropped`,
    [names.views(set), names.unpublished(set)],
  )
  return tables.length === 2
}

/** Keys of views and of deletions that the changelog lacks. */
async function keysOf(sql: Sql, names: SqlNames, set: ViewSet, limit: number): Promise<readonly string[]> {
  const views = await sql.query<{ key: string }>(
    `SELECT key FROM ${names.views(set)} ORDER BY key LIMIT $1`,
    [limit],
  )
  const keys = views.map(({ key }) => key)
  const marks = await sql.query<{ key: string }>(
    `SELECT key FROM ${names.unpublished(set)} WHERE key <> ALL($2::text[]) ORDER BY key LIMIT $1`,
    [limit - keys.length, keys],
  )
  return [...keys, ...marks.map(({ key }) => key)]
}

async function takeAway(sql: Sql, names: SqlNames, set: ViewSet, keys: readonly string[]): Promise<void> {
  await sql.query(
    `WITH taken AS (DELETE FROM ${names.views(set)} WHERE key = ANY($3::text[]) RETURNING 1),
     unmarked AS (DELETE FROM ${names.unpublished(set)} WHERE key = ANY($3::text[]) RETURNING 1)
     UPDATE ${names.generations} SET views = views - (SELECT count(*) FROM taken),
       unpublished = unpublished - (SELECT count(*) FROM unmarked)
     WHERE projection = $1 AND generation = $2`,
    [...idOf(set), keys],
  )
}

/** Marks keys without a view in this generation as unpublished deletions: the changelog may have views under them. */
async function noteAbsent(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  keys: readonly string[],
  nowMs: number,
): Promise<void> {
  await sql.query(
    `WITH revised AS MATERIALIZED (SELECT ${names.nextRevision} AS revision),
     marked AS (
       INSERT INTO ${names.unpublished(set)} (key, revision, changed_at)
       SELECT key, revision, ${timeOf('$4')} FROM unnest($3::text[]) AS gone (key), revised
       WHERE NOT EXISTS (SELECT FROM ${names.views(set)} WHERE ${names.views(set)}.key = gone.key)
       ORDER BY key COLLATE "C" ON CONFLICT DO NOTHING RETURNING 1)
     UPDATE ${names.generations} SET unpublished = unpublished + (SELECT count(*) FROM marked)
     WHERE projection = $1 AND generation = $2`,
    [...idOf(set), keys, nowMs],
  )
}
