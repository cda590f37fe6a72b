import { escapeIdentifier, escapeLiteral } from 'pg'

import type { ViewSet } from '#projections'

import type { Sql } from './database.ts'
import { figureColumns, type SqlNames } from './names.ts'
import { truncationTrigger } from './truncation.ts'

/** Text compares by its UTF-8 bytes. */
export const textType = 'text COLLATE "C"'

/** Creates the tables of one generation. */
export async function createViewTables(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  indexNames: readonly string[],
): Promise<void> {
  const views = names.views(set)
  const figures = [...figureColumns(indexNames).values()]
  await sql.query(`
    CREATE TABLE ${views} (
      key ${textType} PRIMARY KEY,
      view jsonb NOT NULL,
      exact text,
      revision bigint NOT NULL,
      changed_at timestamptz NOT NULL,
      expires_at timestamptz
      ${figures.map((figure) => `, ${figure} double precision`).join('')}
    ) WITH (fillfactor = 80);
    COMMENT ON TABLE ${views} IS ${escapeLiteral(commentOf(set))};
    CREATE INDEX ON ${views} (expires_at) WHERE expires_at IS NOT NULL;
    ${figures.map((figure) => `CREATE INDEX ON ${views} (${figure}, key);`).join('')}
    CREATE TABLE ${names.unpublished(set)} (
      key ${textType} PRIMARY KEY,
      revision bigint NOT NULL,
      changed_at timestamptz NOT NULL
    ) WITH (fillfactor = 80);
    ${[views, names.unpublished(set)].map((table) => truncationTrigger(names, table, idOf(set))).join('')}`)
}

/**
 * Replacing or dropping waits for readers, and steps would queue behind it: a long query or a dump must not delay steps.
 */
const waitBriefly = `SET LOCAL lock_timeout = '250ms'`

/** Deletes everything of a generation. */
export async function dropGeneration(sql: Sql, names: SqlNames, set: ViewSet): Promise<void> {
  await sql.query(waitBriefly)
  // One of them may have been dropped already.
  await sql.query(`DROP TABLE IF EXISTS ${names.views(set)}, ${names.unpublished(set)}`)
  for (const table of [names.checkpoints, names.parked, names.stops, names.generations]) {
    await sql.query(`DELETE FROM ${table} WHERE projection = $1 AND generation = $2`, idOf(set))
  }
}

/** The comment on a generation's table of views. */
export const commentOf = ({ projection, generation }: ViewSet): string =>
  `Views of ${projection.name}, generation ${generation}`

/** The parameters `$1` and `$2` of most statements. */
export const idOf = ({ projection, generation }: ViewSet): [string, string] => [projection.name, generation]

/**
 * Makes the SQL view with the projection's name show a generation. A column whose index is gone stays, empty, because
 * PostgreSQL would have to drop the view to remove it, together with its grants and the views that people have built on it.
 */
export async function showGeneration(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  indexNames: readonly string[],
): Promise<void> {
  const readable = names.readable(set.projection)
  const figures = new Set(figureColumns(indexNames).values())
  const before = await figuresShown(sql, readable)
  const columns = [...new Set([...before, ...figures])].map((column) =>
    figures.has(column) ? column : `NULL::double precision AS ${column}`,
  )
  await sql.query(waitBriefly)
  await sql.query(`
    CREATE OR REPLACE VIEW ${readable} AS SELECT ${['key', 'view', 'changed_at', ...columns].join(', ')}
    FROM ${names.views(set)} WHERE expires_at IS NULL OR expires_at > now()`)
}

/** The columns of the SQL view, quoted and in order. */
async function figuresShown(sql: Sql, readable: string): Promise<readonly string[]> {
  const rows = await sql.query<{ column: string }>(
    `SELECT attname AS column FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 3 ORDER BY attnum`,
    [readable],
  )
  return rows.map(({ column }) => escapeIdentifier(column))
}
