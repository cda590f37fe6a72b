import type { ViewChange, ViewSet } from '#projections'

import type { Sql } from './database.ts'
import { figureColumns, type SqlNames } from './names.ts'
import { storableJson } from './storable-json.ts'
import { timeOf } from './time.ts'

/** How much the counts of a generation change. */
export interface CountChange {
  readonly views: number
  readonly unpublished: number
}

interface WrittenRow {
  readonly inserted: number
  readonly unpublished: number
}

/**
 * Changes views within a transaction and marks them as unpublished.
 * @returns undefined when a view has changed since it was read: the caller must roll back.
 */
export async function changeViews(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  changes: readonly ViewChange[],
): Promise<CountChange | undefined> {
  if (changes.length === 0) return { views: 0, unpublished: 0 }
  if (!(await areAsRead(sql, names, set, changes))) return undefined
  const { inserted, unpublished } = await write(sql, names, set, changes)
  // A view that did not exist when the others were locked may have been created since.
  const made = changes.filter(({ expected, json }) => expected === 0 && json !== null).length
  if (inserted !== made) return undefined
  const deleted = changes.filter(({ expected, json }) => expected > 0 && json === null).length
  return { views: made - deleted, unpublished }
}

/** Locks the views in the order of their keys, so that parallel transactions do not deadlock. */
async function areAsRead(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  changes: readonly ViewChange[],
): Promise<boolean> {
  const rows = await sql.query<{ changed: number }>(
    // Counts, because for EXISTS the planner picks a join that finds one row quickly and no row slowly.
    `WITH locked AS (
       SELECT key, revision FROM ${names.views(set)} WHERE key = ANY($1::text[]) ORDER BY key FOR UPDATE)
     SELECT count(*) AS changed FROM unnest($1::text[], $2::bigint[]) AS change (key, expected)
     LEFT JOIN locked ON locked.key = change.key
     WHERE coalesce(locked.revision, 0) <> change.expected`,
    [changes.map(({ key }) => key), changes.map(({ expected }) => expected)],
  )
  return rows[0]?.changed === 0
}

interface Figure {
  /** The column of the index. */
  readonly name: string
  readonly column: string
  /** The value's name within the statement, and its parameter. */
  readonly given: string
  readonly parameter: string
}

const figuresOf = ({ projection }: ViewSet): readonly Figure[] =>
  [...figureColumns(projection.indexNames)].map(([name, column], at) => ({
    ...{ name, column },
    given: `figure${at}`,
    parameter: `$${at + 7}::float8[]`,
  }))

/** One statement. An inserted row has xmax 0, an updated one has not. */
async function write(
  sql: Sql,
  names: SqlNames,
  set: ViewSet,
  changes: readonly ViewChange[],
): Promise<WrittenRow> {
  const figures = figuresOf(set)
  const stored = changes.map(({ json }) => (json === null ? null : storableJson(json)))
  const rows = await sql.query<WrittenRow>(writeStatement(names, set, figures), [
    changes.map(({ key }) => key),
    changes.map(({ expected }) => expected),
    stored,
    changes.map(({ json }, at) => (json === stored[at] ? null : json)),
    changes.map(({ changedAtMs }) => changedAtMs),
    changes.map(({ expiresAtMs }) => expiresAtMs),
    ...figures.map(({ name }) => changes.map(({ indexes }) => indexes[name])),
  ])
  return rows[0] ?? { inserted: 0, unpublished: 0 }
}

const fixedParameters = [
  '$1::text[]',
  '$2::bigint[]',
  '$3::text[]',
  '$4::text[]',
  '$5::float8[]',
  '$6::float8[]',
]
const fixedValues = ['change_key', 'expected', 'json', 'exact_json', 'changed_ms', 'expires_ms']

function writeStatement(names: SqlNames, set: ViewSet, figures: readonly Figure[]): string {
  const parameters = [...fixedParameters, ...figures.map(({ parameter }) => parameter)].join(', ')
  const given = [...fixedValues, ...figures.map((figure) => figure.given)].join(', ')
  const assigned = [
    ['view', 'json::jsonb'],
    ['exact', 'exact_json'],
    ['revision', 'next_revision'],
    ['changed_at', timeOf('changed_ms')],
    ['expires_at', timeOf('expires_ms')],
    ...figures.map((figure) => [figure.column, figure.given]),
  ]
  const views = names.views(set)
  return `WITH revised AS MATERIALIZED (SELECT ${names.nextRevision} AS next_revision),
     change AS MATERIALIZED (SELECT * FROM unnest(${parameters}) AS given (${given}), revised),
     updated AS (
       UPDATE ${views} SET ${assigned.map(([column, value]) => `${column} = ${value}`).join(', ')}
       FROM change WHERE key = change_key AND expected > 0 AND json IS NOT NULL),
     inserted AS (
       INSERT INTO ${views} (key, ${assigned.map(([column]) => column).join(', ')})
       SELECT change_key, ${assigned.map(([, value]) => value).join(', ')}
       FROM change WHERE expected = 0 AND json IS NOT NULL
       ORDER BY change_key COLLATE "C" ON CONFLICT (key) DO NOTHING RETURNING 1),
     deleted AS (
       DELETE FROM ${views} USING change WHERE key = change_key AND expected > 0 AND json IS NULL),
     marked AS (
       INSERT INTO ${names.unpublished(set)} AS mark (key, revision, changed_at)
       SELECT change_key, next_revision, ${timeOf('changed_ms')} FROM change ORDER BY change_key COLLATE "C"
       ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, changed_at = excluded.changed_at
       RETURNING mark.xmax = 0 AS is_new)
     SELECT (SELECT count(*) FROM inserted) AS inserted,
       (SELECT count(*) FROM marked WHERE is_new) AS unpublished`
}
