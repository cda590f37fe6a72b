import { escapeIdentifier } from 'pg'

import { formatPartition, position } from '#domain'
import {
  type Generation,
  type GenerationState,
  type GenerationStatus,
  type NewGeneration,
  type Stop,
  type StoredProjection,
} from '#projections'

import type { Sql } from './database.ts'
import { columnsOfUnpublished, columnsOfViews, type SqlNames } from './names.ts'
import { isSharedWhole } from './shared-tables.ts'
import { millisecondsOf } from './time.ts'

interface GenerationRow {
  readonly status: GenerationStatus
  readonly definition: NewGeneration
  readonly damage: string | null
}

/** A generation, with its recorded damage. */
interface NotedGeneration extends Generation {
  readonly damage?: string
}

interface StateRow extends GenerationRow {
  readonly checkpoints: Readonly<Record<string, number>>
  readonly stops: readonly StopRow[]
  readonly views: number
  readonly parked: number
  readonly unpublished: number
  /** Whether all shared tables and columns exist. */
  readonly isSharedWhole: boolean
  /** Null when there is no such table. */
  readonly viewColumns: readonly string[] | null
  readonly unpublishedColumns: readonly string[] | null
}

interface StopRow {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly error: string
  readonly stoppedAtMs: number
}

/** All generations of a projection, oldest first. */
export async function generationRows(
  sql: Sql,
  { generations }: SqlNames,
  { name }: StoredProjection,
): Promise<readonly NotedGeneration[]> {
  const rows = await sql.query<GenerationRow>(
    `SELECT status, definition, damage FROM ${generations} WHERE projection = $1 ORDER BY generation`,
    [name],
  )
  return rows.map(generationOf)
}

/** All generations with everything that the store holds of them. */
export async function generationStates(
  sql: Sql,
  names: SqlNames,
  projection: StoredProjection,
): Promise<readonly GenerationState[]> {
  const { generations, checkpoints, parked, stops } = names
  // All names are qualified: the name of a dropped column would otherwise refer to the outer table.
  const ofGeneration = 'own WHERE (own.projection, own.generation) = (g.projection, g.generation)'
  const rows = await sql.query<StateRow>(
    `SELECT g.status, g.definition, g.damage, c.checkpoints, s.stops, p.parked, ${isSharedWhole(names)} AS "isSharedWhole",
       g.views + c.views AS views, g.unpublished + c.unpublished AS unpublished,
       ${columnsOf('g.views_table')} AS "viewColumns", ${columnsOf(unpublishedTable)} AS "unpublishedColumns"
     FROM ${generations} g,
     LATERAL (SELECT coalesce(jsonb_object_agg(own.topic || ':' || own.partition, own.next_offset), '{}') AS checkpoints,
         coalesce(sum(own.views), 0)::bigint AS views, coalesce(sum(own.unpublished), 0)::bigint AS unpublished
       FROM ${checkpoints} ${ofGeneration}) c,
     LATERAL (SELECT coalesce(jsonb_agg(jsonb_build_object('topic', own.topic, 'partition', own.partition,
         'offset', own.event_offset, 'error', own.error, 'stoppedAtMs', ${millisecondsOf('own.stopped_at')})), '[]') AS stops
       FROM ${stops} ${ofGeneration}) s,
     LATERAL (SELECT count(*) AS parked FROM ${parked} ${ofGeneration}) p
     WHERE g.projection = $1 ORDER BY g.generation`,
    [projection.name],
  )
  return rows.map((row) => ({
    ...generationOf(row),
    ...damageOf(names, projection, row),
    checkpoints: new Map(Object.entries(row.checkpoints)),
    stops: new Map(row.stops.map((stop) => [formatPartition(stop), stopOf(stop)])),
    views: row.views,
    parked: row.parked,
    unpublished: row.unpublished,
  }))
}

const generationOf = ({ status, definition, damage }: GenerationRow): NotedGeneration => ({
  ...definition,
  status,
  ...(damage !== null && { damage }),
})

const columnsOf = (table: string): string =>
  `(SELECT jsonb_agg(attname) FROM pg_attribute WHERE attrelid = to_regclass(${table}) AND attnum > 0 AND NOT attisdropped)`

/** The two tables of a generation share the end of their names. */
const unpublishedTable = `regexp_replace(g.views_table, '"_views_([0-9a-f]+)"$', '"_unpublished_\\1"')`

/** The recorded damage, or which table or column is missing. */
function damageOf(
  names: SqlNames,
  projection: StoredProjection,
  { definition, damage, isSharedWhole, viewColumns, unpublishedColumns }: StateRow,
): { readonly damage?: string } {
  if (damage !== null) return { damage }
  if (!isSharedWhole)
    return {
      damage: `a shared table of schema ${names.schemaName} is missing or lost a column`,
    }
  const set = { projection, generation: definition.id }
  const missing =
    lacking(names.views(set), columnsOfViews(definition.indexNames), viewColumns) ??
    lacking(names.unpublished(set), columnsOfUnpublished, unpublishedColumns)
  return missing === undefined ? {} : { damage: missing }
}

function lacking(
  table: string,
  expected: readonly string[],
  found: readonly string[] | null,
): string | undefined {
  if (found === null) return `table ${table} is missing`
  const column = expected.find((each) => !found.map(escapeIdentifier).includes(each))
  return column === undefined ? undefined : `column ${column} of table ${table} is missing`
}

const stopOf = ({ topic, partition, offset, error, stoppedAtMs }: StopRow): Stop => ({
  position: position(topic, partition, offset),
  error,
  stoppedAtMs,
})
