import type { ViewSet } from '#projections'

import type { Sql } from './database.ts'
import type { SqlNames } from './names.ts'
import { idOf } from './tables.ts'
import { timeOf } from './time.ts'

/** Implements Views.expire. Skips a view that a step has locked: it is about to change. */
export async function deleteExpired(
  sql: Sql,
  names: SqlNames,
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
