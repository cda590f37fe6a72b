import { formatPosition, type Position, type Projection } from '#domain'
import { EventStoreError } from '#event-store'

/** Why there is no order by an index. */
export const unknownIndex = ({ name, indexNames }: Projection, orderBy: string): string =>
  `projection ${name} has no index ${JSON.stringify(orderBy)}: it has ${indexNames.join(', ') || 'none'}`

export const noGeneration = (name: string, generation: string): EventStoreError =>
  new EventStoreError(
    'generation-not-found',
    `projection ${name} has no generation ${JSON.stringify(generation)}`,
  )

/** Why a view cannot be read with the event of `after` in it. */
export const behind = ({ name }: Projection, after: Position | undefined, waitMs: number): EventStoreError =>
  new EventStoreError(
    'projection-behind',
    `the event at ${after === undefined ? '' : formatPosition(after)} is not in projection ${name} after ${waitMs} ms: try again, or see GET /projections/${name} for its lag`,
    { retryAfterSeconds: 1 },
  )
