import type { UnpublishedView, ViewSet } from '#projections'

import type { Sql } from './database.ts'
import type { SqlNames } from './names.ts'
import { idOf } from './tables.ts'
import { millisecondsOf } from './time.ts'

/** Implements ViewOutbox.unpublished. */
export function unpublishedViews(
  sql: Sql,
  names: SqlNames,
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

/** Implements ViewOutbox.markPublished. A key that a step has locked is about to change, so it stays unpublished without a wait. */
export async function markPublished(
  sql: Sql,
  names: SqlNames,
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
