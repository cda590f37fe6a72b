import { formatPosition, type Position, type Projection, suggestion } from '#domain'
import { invalidRequest } from '#event-store'
import { LogError } from '#kafka'
import { ProjectionError, ViewStoreUnavailableError } from '#projections'

/** Why there is no order by an index. */
export const unknownIndex = ({ name, indexNames }: Projection, orderBy: string): string =>
  `projection ${name} has no index ${JSON.stringify(orderBy)}${suggestion(orderBy, indexNames)}`

export const noGeneration = (name: string, generation: string): ProjectionError =>
  new ProjectionError(
    'generation-not-found',
    `projection ${name} has no generation ${JSON.stringify(generation)}`,
  )

/** Why a view cannot be read with the event of `after` in it. */
export const behind = ({ name }: Projection, after: Position | undefined, waitMs: number): ProjectionError =>
  new ProjectionError(
    'projection-behind',
    `the event at ${after === undefined ? '' : formatPosition(after)} is not in projection ${name} after ${waitMs} ms: try again, or see GET /projections/${name} for its lag`,
    { retryAfterSeconds: 1 },
  )

/** What reading an event at a position that is not in the log is refused with. */
export function noEventThere(error: unknown): never {
  if (error instanceof LogError && error.outcome === 'not-there')
    throw invalidRequest('untilPosition', error.message)
  throw error
}

/** @throws ProjectionError `unavailable` while the view store does not answer. */
export async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof ViewStoreUnavailableError)) throw error
    throw new ProjectionError('unavailable', error.message, { retryAfterSeconds: 1 }, { cause: error })
  }
}
