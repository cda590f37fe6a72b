import type {
  KeyedView,
  Lookup,
  StoredProjection,
  StoredView,
  StoredViewPage,
  ViewLookup,
  ViewPageQuery,
  ViewSet,
} from '#projections'

import type { Sql } from './database.ts'
import { figureColumns, type SqlNames } from './names.ts'
import { millisecondsOf, timeOf } from './time.ts'

interface FoundGeneration {
  readonly generation: string
  readonly indexNames: readonly string[]
  readonly behind: boolean
}

interface ViewRow {
  readonly key: string
  readonly json: string
  readonly revision: number
  readonly changedAtMs: number
  readonly expiresAtMs: number | null
}

const storedColumns = `key, coalesce(exact, view::text) AS json, revision, ${millisecondsOf('changed_at')} AS "changedAtMs",
  ${millisecondsOf('expires_at')} AS "expiresAtMs"`

const storedView = ({ json, revision, changedAtMs, expiresAtMs }: ViewRow): StoredView => ({
  json,
  revision,
  changedAtMs,
  ...(expiresAtMs !== null && { expiresAtMs }),
})

/** Implements Views.read. */
export async function readViews(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  keys: readonly string[],
): Promise<ReadonlyMap<string, StoredView>> {
  const rows = await sql.query<ViewRow>(
    `SELECT ${storedColumns} FROM ${names.views(set)} WHERE key = ANY($1::text[])`,
    [keys],
  )
  return new Map(rows.map((row) => [row.key, storedView(row)]))
}

/**
 * Finds the generation of a lookup, then queries it. The first query runs alone: everything that the generation has applied by then
 * is still there afterwards. If it is discarded in between, `find` fails on its missing table.
 */
export async function lookUp<Found>(
  sql: Sql,
  names: SqlNames,
  projection: StoredProjection,
  lookup: ViewLookup,
  find: (set: ViewSet, indexNames: readonly string[]) => Promise<Found>,
): Promise<Lookup<Found>> {
  const found = await findGeneration(sql, names, projection, lookup)
  if (found === undefined) return { outcome: 'no-generation' }
  if (found.behind) return { outcome: 'behind' }
  const { generation, indexNames } = found
  return { outcome: 'found', generation, found: await find({ projection, generation }, indexNames) }
}

async function findGeneration(
  sql: Sql,
  { generations, checkpoints }: SqlNames,
  { name }: StoredProjection,
  { generation, after }: ViewLookup,
): Promise<FoundGeneration | undefined> {
  const rows = await sql.query<FoundGeneration>(
    `SELECT generation, definition -> 'indexNames' AS "indexNames",
       $5::bigint IS NOT NULL AND NOT EXISTS (
         SELECT FROM ${checkpoints} c
         WHERE (c.projection, c.generation) = (g.projection, g.generation)
           AND c.topic = $3 AND c.partition = $4 AND c.next_offset > $5) AS behind
     FROM ${generations} g
     WHERE projection = $1 AND damage IS NULL
       AND CASE WHEN $2::text IS NULL THEN status = 'serving' ELSE generation = $2 AND status <> 'retired' END`,
    [name, generation, after?.topic, after?.partition, after?.offset],
  )
  return rows[0]
}

/** One view, unless it has expired. */
export async function findView(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  key: string,
  nowMs: number,
): Promise<StoredView | undefined> {
  const rows = await sql.query<ViewRow>(
    `SELECT ${storedColumns} FROM ${names.views(set)} WHERE key = $1 AND ${isAlive('$2')}`,
    [key, nowMs],
  )
  return rows[0] && storedView(rows[0])
}

const isAlive = (nowMs: string): string => `(expires_at IS NULL OR expires_at > ${timeOf(nowMs)})`

/** One page of views. It is empty for an index that the generation does not have. */
export async function findPage(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  indexNames: readonly string[],
  { orderBy, descending, limit, cursor }: ViewPageQuery,
  nowMs: number,
): Promise<StoredViewPage> {
  const figure = orderBy === undefined ? undefined : figureColumns(indexNames).get(orderBy)
  if (orderBy !== undefined && figure === undefined) return { views: [] }
  const order = [...(figure === undefined ? [] : [figure]), 'key']
  const cursorValues = figure === undefined ? [cursor?.key] : [cursor?.figure, cursor?.key]
  const behindCursor = `(${order.join(', ')}) ${descending ? '<' : '>'} (${order.map((_, at) => `$${at + 3}`).join(', ')})`
  const rows = await sql.query<ViewRow & { figure: number | null }>(
    `SELECT ${storedColumns}, ${figure ?? 'NULL'} AS figure FROM ${names.views(set)}
     WHERE ${isAlive('$1')} ${figure === undefined ? '' : `AND ${figure} IS NOT NULL`} ${cursor === undefined ? '' : `AND ${behindCursor}`}
     ORDER BY ${order.map((column) => `${column} ${descending ? 'DESC' : 'ASC'}`).join(', ')} LIMIT $2`,
    [nowMs, limit + 1, ...(cursor === undefined ? [] : cursorValues)],
  )
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    views: page.map((row): KeyedView => ({
      ...{ key: row.key, ...storedView(row) },
      ...(row.figure !== null && { figure: row.figure }),
    })),
    ...(rows.length > limit &&
      last && { next: { key: last.key, ...(last.figure !== null && { figure: last.figure }) } }),
  }
}
