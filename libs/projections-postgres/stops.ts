import type { TopicPartition } from '#domain'
import type { Stop, StoredProjection, ViewSet } from '#projections'

import type { Sql } from './database.ts'
import type { SqlNames } from './names.ts'
import { withoutNul } from './storable-text.ts'
import { idOf } from './tables.ts'
import { timeOf } from './time.ts'

/** Implements Generations.stop. The lock keeps the generation from being discarded in the meantime. */
export async function recordStop(
  sql: Sql,
  { generations, stops }: SqlNames,
  set: ViewSet,
  { topic, partition }: TopicPartition,
  { position: event, error, stoppedAtMs }: Stop,
): Promise<void> {
  await sql.query(
    `INSERT INTO ${stops} (projection, generation, topic, partition, event_offset, error, stopped_at)
     SELECT projection, generation, $3, $4, $5, $6, ${timeOf('$7')}
     FROM ${generations} WHERE projection = $1 AND generation = $2 FOR KEY SHARE
     ON CONFLICT (projection, generation, topic, partition)
     DO UPDATE SET event_offset = excluded.event_offset, error = excluded.error, stopped_at = excluded.stopped_at`,
    [...idOf(set), topic, partition, event.offset, withoutNul(error), stoppedAtMs],
  )
}

/** Implements Generations.resume. */
export async function removeStops(
  sql: Sql,
  { stops }: SqlNames,
  { name }: StoredProjection,
  source: TopicPartition | undefined,
): Promise<number> {
  const resumed = await sql.query(
    `DELETE FROM ${stops} WHERE projection = $1
       AND ($2::text IS NULL OR (topic = $2 AND partition = $3)) RETURNING 1`,
    [name, source?.topic, source?.partition],
  )
  return resumed.length
}
