import { escapeLiteral } from 'pg'

import type { Database, Sql } from './database.ts'
import type { SqlNames } from './names.ts'
import { textType } from './tables.ts'
import { truncationTrigger } from './truncation.ts'

/** The objects that all projections share: tables with their columns, and a sequence, whose columns do not matter. */
const columns = {
  _revisions: [],
  _generations: [
    ...['projection', 'generation', 'status', 'definition', 'views_table', 'held_until'],
    ...['views', 'unpublished'],
  ],
  _checkpoints: ['projection', 'generation', 'topic', 'partition', 'next_offset', 'views', 'unpublished'],
  _parked: ['projection', 'generation', 'topic', 'partition', 'event_offset', 'error', 'parked_at'],
  _stops: ['projection', 'generation', 'topic', 'partition', 'event_offset', 'error', 'stopped_at'],
} as const satisfies Record<string, readonly string[]>

type Shared = keyof typeof columns

interface FoundTables {
  /** Columns by table, including those of the sequence. */
  readonly columns: ReadonlyMap<string, readonly string[]>
  /** Whether truncation is recorded; it is not where an earlier version of Annals created the tables. */
  readonly notesTruncation: boolean
}

/**
 * Creates the shared objects that do not exist yet. If one was dropped, it is unknown what was applied: it is
 * created again, and all generations count as damaged.
 */
export async function ensureTables(database: Database, names: SqlNames): Promise<void> {
  if (isWhole(await find(database, names))) return
  await database.transaction({ key: names.lockKey(), shared: false }, async (sql) => {
    // IF NOT EXISTS requires the right to create schemas even when the schema exists.
    const schemas = await sql.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [names.schemaName])
    if (schemas.length === 0) await sql.query(`CREATE SCHEMA ${names.schema}`)
    const found = await find(sql, names)
    if (isWhole(found)) return
    const broken = brokenTables(found)
    for (const table of broken) {
      if (table !== '_revisions') await sql.query(`DROP TABLE IF EXISTS ${names.shared(table)}`)
    }
    await sql.query(definitions(names))
    if (found.columns.size > 0 && broken.length > 0) await markAll(sql, names, broken)
  })
}

/** SQL that is true when nothing is missing. */
export function isSharedWhole(names: SqlNames): string {
  const expected = (Object.keys(columns) as Shared[]).flatMap((table) =>
    (table === '_revisions' ? ['last_value'] : columns[table]).map(
      (column) => `(to_regclass(${escapeLiteral(names.shared(table))}), ${escapeLiteral(column)})`,
    ),
  )
  return `((SELECT count(*) FROM pg_attribute WHERE NOT attisdropped AND (attrelid, attname) IN (${expected.join(', ')})) = ${expected.length})`
}

async function find(sql: Sql, names: SqlNames): Promise<FoundTables> {
  const rows = await sql.query<{ table: string; columns: readonly string[] }>(
    `SELECT relname::text AS "table", array_agg(attname::text) AS columns
     FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
     WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND relname = ANY($2::text[])
     GROUP BY relname`,
    [names.schemaName, Object.keys(columns)],
  )
  const noting = await sql.query<{ found: boolean }>('SELECT to_regprocedure($1) IS NOT NULL AS found', [
    `${names.noteTruncation}()`,
  ])
  return {
    columns: new Map(rows.map((row) => [row.table, row.columns])),
    notesTruncation: noting[0]?.found === true,
  }
}

const isWhole = (found: FoundTables): boolean =>
  found.notesTruncation && brokenTables(found).length === 0 && hasDamageColumn(found)

const hasDamageColumn = (found: FoundTables): boolean =>
  found.columns.get('_generations')?.includes('damage') === true

/** Tables that are missing or lack a column. */
const brokenTables = (found: FoundTables): readonly Shared[] =>
  (Object.keys(columns) as Shared[]).filter((table) => {
    const there = found.columns.get(table)
    return there === undefined || columns[table].some((column) => !there.includes(column))
  })

async function markAll(sql: Sql, names: SqlNames, broken: readonly string[]): Promise<void> {
  const damage = `${broken.map((table) => `table ${names.schemaName}.${table}`).join(', ')} was dropped or lost a column`
  await sql.query(`UPDATE ${names.generations} SET damage = $1 WHERE damage IS NULL`, [damage])
}

/** Counts of a generation are sums over its checkpoints and its own row, so that parallel steps do not wait for each other. */
const definitions = (names: SqlNames): string => `
  CREATE SEQUENCE IF NOT EXISTS ${names.revisions};
  CREATE TABLE IF NOT EXISTS ${names.generations} (
    projection ${textType}, generation ${textType},
    status text NOT NULL CHECK (status IN ('building', 'serving', 'kept', 'retired')),
    definition jsonb NOT NULL,
    views_table text NOT NULL,
    held_until timestamptz,
    views bigint NOT NULL DEFAULT 0,
    unpublished bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (projection, generation)
  );
  ALTER TABLE ${names.generations} ADD COLUMN IF NOT EXISTS damage text;
  CREATE UNIQUE INDEX IF NOT EXISTS _generations_serving ON ${names.generations} (projection) WHERE status = 'serving';
  CREATE TABLE IF NOT EXISTS ${names.checkpoints} (
    projection ${textType}, generation ${textType}, topic ${textType}, partition int,
    next_offset bigint NOT NULL,
    views bigint NOT NULL,
    unpublished bigint NOT NULL,
    PRIMARY KEY (projection, generation, topic, partition)
  ) WITH (fillfactor = 50);
  CREATE TABLE IF NOT EXISTS ${names.parked} (
    projection ${textType}, generation ${textType}, topic ${textType}, partition int, event_offset bigint,
    error text NOT NULL,
    parked_at timestamptz NOT NULL,
    PRIMARY KEY (projection, generation, topic, partition, event_offset)
  );
  CREATE TABLE IF NOT EXISTS ${names.stops} (
    projection ${textType}, generation ${textType}, topic ${textType}, partition int,
    event_offset bigint NOT NULL,
    error text NOT NULL,
    stopped_at timestamptz NOT NULL,
    PRIMARY KEY (projection, generation, topic, partition)
  );
  CREATE OR REPLACE FUNCTION ${names.noteTruncation}() RETURNS trigger LANGUAGE plpgsql AS $note$
    BEGIN
      UPDATE ${names.generations} SET damage = 'table ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME || ' was truncated'
      WHERE damage IS NULL AND (TG_NARGS = 0 OR projection = TG_ARGV[0] AND generation = TG_ARGV[1]);
      RETURN NULL;
    END $note$;
  ${[names.checkpoints, names.parked].map((table) => truncationTrigger(names, table)).join('')}`
