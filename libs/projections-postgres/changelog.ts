import type { UnpublishedView, ViewSet } from '#projections'

import type { Sql } from './database.ts'
import type { Names } from './names.ts'
import { idOf } from './tables.ts'
import { millisecondsOf, timeOf } from './time.ts'

/** Behaves as ViewStore.unpublished. */
export function unpublishedViews(
  sql: Sql,
  names: Names,
  set: ViewSet,
  limit: number,
): Promise<readonly UnpublishedView[]> {
  return sql.query<UnpublishedView>(
    `SELECT mark.key, mark.revision, coalesce(v.exact, v.view::text) AS json, ${millisecondsOf('mark.changed_at')} AS "changedAtMs"
     FROM (SELECT * FROM ${names.unpublished(set)} LIMIT $1) AS mark
     LEFT JOIN ${names.views(set)} v ON v.key = mark.key`,
    [limit],
  )
}

/**
 * Behaves as ViewStore.markPublished. What a step has locked is about to change: it stays unpublished without a look at it, so that
 * nobody waits.
 */
export async function markPublished(
  sql: Sql,
  names: Names,
  set: ViewSet,
  published: readonly Pick<UnpublishedView, 'key' | 'revision'>[],
): Promise<void> {
  const unpublished = names.unpublished(set)
  await sql.query(
    `WITH done AS (
       SELECT mark.key FROM ${unpublished} mark
       JOIN unnest($3::text[], $4::bigint[]) AS given (key, revision)
         ON mark.key = given.key AND mark.revision = given.revision
       FOR UPDATE OF mark SKIP LOCKED),
     unmarked AS (DELETE FROM ${unpublished} mark USING done WHERE mark.key = done.key RETURNING 1)
     UPDATE ${names.generations} SET unpublished = unpublished - (SELECT count(*) FROM unmarked)
     WHERE projection = $1 AND generation = $2`,
    [...idOf(set), published.map(({ key }) => key), published.map(({ revision }) => revision)],
  )
}

/** Behaves as ViewStore.expire. What a step has locked is about to change: it is left alone. */
export async function expireViews(
  sql: Sql,
  names: Names,
  set: ViewSet,
  nowMs: number,
  limit: number,
): Promise<number> {
  const views = names.views(set)
  const rows = await sql.query<{ expired: number }>(
    `WITH revised AS MATERIALIZED (SELECT ${names.nextRevision} AS revision),
     due AS (
       SELECT key FROM ${views} WHERE expires_at <= ${timeOf('$3')} LIMIT $4 FOR UPDATE SKIP LOCKED),
     taken AS (DELETE FROM ${views} old USING due WHERE old.key = due.key RETURNING old.key),
     marked AS (
       INSERT INTO ${names.unpublished(set)} AS old (key, revision, changed_at)
       SELECT key, revision, ${timeOf('$3')} FROM taken, revised ORDER BY key
       ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, changed_at = excluded.changed_at
       RETURNING old.xmax = 0 AS is_new)
     UPDATE ${names.generations} SET views = views - (SELECT count(*) FROM taken),
       unpublished = unpublished + (SELECT count(*) FROM marked WHERE is_new)
     WHERE projection = $1 AND generation = $2
     RETURNING (SELECT count(*) FROM taken) AS expired`,
    [...idOf(set), nowMs, limit],
  )
  return rows[0]?.expired ?? 0
}
