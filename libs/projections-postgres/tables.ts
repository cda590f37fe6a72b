import { escapeIdentifier, escapeLiteral } from 'pg'

import type { ViewSet } from '#projections'

import type { Database, Sql } from './database.ts'
import { figureColumns, type Names } from './names.ts'

/** Makes what all projections share, where it is not there yet. */
export async function ensureTables(database: Database, names: Names): Promise<void> {
  const present = await database.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
    names.stops,
  ])
  if (present[0]?.found === true) return
  await database.transaction({ key: names.lockKey(), shared: false }, async (sql) => {
    // IF NOT EXISTS asks for the right to create schemas even where the schema is there.
    const schemas = await sql.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [names.schemaName])
    if (schemas.length === 0) await sql.query(`CREATE SCHEMA ${names.schema}`)
    await sql.query(sharedTables(names))
  })
}

/** All text compares by its UTF-8 bytes. */
const text = 'text COLLATE "C"'

/** Counts of a generation are sums over its checkpoints and of its own row, so that steps in parallel do not wait for each other. */
const sharedTables = ({ generations, checkpoints, parked, stops, revisions }: Names): string => `
  CREATE SEQUENCE IF NOT EXISTS ${revisions};
  CREATE TABLE IF NOT EXISTS ${generations} (
    projection ${text}, generation ${text},
    status text NOT NULL CHECK (status IN ('building', 'serving', 'kept', 'retired')),
    definition jsonb NOT NULL,
    views_table text NOT NULL,
    held_until timestamptz,
    views bigint NOT NULL DEFAULT 0,
    unpublished bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (projection, generation)
  );
  CREATE UNIQUE INDEX IF NOT EXISTS _generations_serving ON ${generations} (projection) WHERE status = 'serving';
  CREATE TABLE IF NOT EXISTS ${checkpoints} (
    projection ${text}, generation ${text}, topic ${text}, partition int,
    next_offset bigint NOT NULL,
    views bigint NOT NULL,
    unpublished bigint NOT NULL,
    PRIMARY KEY (projection, generation, topic, partition)
  ) WITH (fillfactor = 50);
  CREATE TABLE IF NOT EXISTS ${parked} (
    projection ${text}, generation ${text}, topic ${text}, partition int, event_offset bigint,
    error text NOT NULL,
    parked_at timestamptz NOT NULL,
    PRIMARY KEY (projection, generation, topic, partition, event_offset)
  );
  CREATE TABLE IF NOT EXISTS ${stops} (
    projection ${text}, generation ${text}, topic ${text}, partition int,
    event_offset bigint NOT NULL,
    error text NOT NULL,
    stopped_at timestamptz NOT NULL,
    PRIMARY KEY (projection, generation, topic, partition)
  )`

/** Makes the tables of one generation. */
export async function createViewTables(
  sql: Sql,
  names: Names,
  set: ViewSet,
  indexNames: readonly string[],
): Promise<void> {
  const views = names.views(set)
  const figures = [...figureColumns(indexNames).values()]
  const { projection, generation } = set
  await sql.query(`
    CREATE TABLE ${views} (
      key ${text} PRIMARY KEY,
      view jsonb NOT NULL,
      exact text,
      revision bigint NOT NULL,
      changed_at timestamptz NOT NULL,
      expires_at timestamptz
      ${figures.map((figure) => `, ${figure} double precision`).join('')}
    ) WITH (fillfactor = 80);
    COMMENT ON TABLE ${views} IS ${escapeLiteral(`Views of ${projection.name}, generation ${generation}`)};
    CREATE INDEX ON ${views} (expires_at) WHERE expires_at IS NOT NULL;
    ${figures.map((figure) => `CREATE INDEX ON ${views} (${figure}, key);`).join('')}
    CREATE TABLE ${names.unpublished(set)} (
      key ${text} PRIMARY KEY,
      revision bigint NOT NULL,
      changed_at timestamptz NOT NULL
    ) WITH (fillfactor = 80)`)
}

/**
 * What is replaced or dropped has to be free of readers, and a person's long query or a dump is none of the steps' business: they would
 * wait behind us.
 */
const waitBriefly = `SET LOCAL lock_timeout = '250ms'`

/** Takes away all of a generation. */
export async function dropGeneration(sql: Sql, names: Names, set: ViewSet): Promise<void> {
  await sql.query(waitBriefly)
  await sql.query(`DROP TABLE ${names.views(set)}, ${names.unpublished(set)}`)
  for (const table of [names.checkpoints, names.parked, names.stops, names.generations]) {
    await sql.query(`DELETE FROM ${table} WHERE projection = $1 AND generation = $2`, idOf(set))
  }
}

/** The parameters $1 and $2 of most statements. */
export const idOf = ({ projection, generation }: ViewSet): [string, string] => [projection.name, generation]

/**
 * Lets the SQL view by the projection's name show a generation. Columns stay for good, of indexes that are gone empty ones, since
 * PostgreSQL would have to take the view away to change them, and with it what people have granted and built upon it.
 */
export async function showGeneration(
  sql: Sql,
  names: Names,
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

/** Quoted, in their order. */
async function figuresShown(sql: Sql, readable: string): Promise<readonly string[]> {
  const rows = await sql.query<{ column: string }>(
    `SELECT attname AS column FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 3 ORDER BY attnum`,
    [readable],
  )
  return rows.map(({ column }) => escapeIdentifier(column))
}
