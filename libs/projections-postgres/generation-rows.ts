import { position } from '#domain'
import {
  type Generation,
  type GenerationState,
  type GenerationStatus,
  type NewGeneration,
  sourceKey,
  type Stop,
  type StoredProjection,
} from '#projections'

import type { Sql } from './database.ts'
import type { Names } from './names.ts'
import { millisecondsOf } from './time.ts'

interface GenerationRow {
  readonly status: GenerationStatus
  readonly definition: NewGeneration
}

interface StateRow extends GenerationRow {
  readonly checkpoints: Readonly<Record<string, number>>
  readonly stops: readonly StopRow[]
  readonly views: number
  readonly parked: number
  readonly unpublished: number
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
  { generations }: Names,
  { name }: StoredProjection,
): Promise<readonly Generation[]> {
  const rows = await sql.query<GenerationRow>(
    `SELECT status, definition FROM ${generations} WHERE projection = $1 ORDER BY generation`,
    [name],
  )
  return rows.map(generationOf)
}

/** The same with all that the store holds of them. */
export async function generationStates(
  sql: Sql,
  { generations, checkpoints, parked, stops }: Names,
  { name }: StoredProjection,
): Promise<readonly GenerationState[]> {
  const ofGeneration = 'WHERE (projection, generation) = (g.projection, g.generation)'
  const rows = await sql.query<StateRow>(
    `SELECT status, definition, c.checkpoints, s.stops, p.parked,
       g.views + c.views AS views, g.unpublished + c.unpublished AS unpublished
     FROM ${generations} g,
     LATERAL (SELECT coalesce(jsonb_object_agg(topic || ':' || partition, next_offset), '{}') AS checkpoints,
         coalesce(sum(views), 0)::bigint AS views, coalesce(sum(unpublished), 0)::bigint AS unpublished
       FROM ${checkpoints} ${ofGeneration}) c,
     LATERAL (SELECT coalesce(jsonb_agg(jsonb_build_object('topic', topic, 'partition', partition,
         'offset', event_offset, 'error', error, 'stoppedAtMs', ${millisecondsOf('stopped_at')})), '[]') AS stops
       FROM ${stops} ${ofGeneration}) s,
     LATERAL (SELECT count(*) AS parked FROM ${parked} ${ofGeneration}) p
     WHERE projection = $1 ORDER BY generation`,
    [name],
  )
  return rows.map((row) => ({
    ...generationOf(row),
    checkpoints: new Map(Object.entries(row.checkpoints)),
    stops: new Map(row.stops.map((stop) => [sourceKey(stop), stopOf(stop)])),
    views: row.views,
    parked: row.parked,
    unpublished: row.unpublished,
  }))
}

const generationOf = ({ status, definition }: GenerationRow): Generation => ({ ...definition, status })

const stopOf = ({ topic, partition, offset, error, stoppedAtMs }: StopRow): Stop => ({
  position: position(topic, partition, offset),
  error,
  stoppedAtMs,
})
