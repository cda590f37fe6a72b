import { formatPosition, type Position, type Projection, suggestion } from '#domain'
import { invalidRequest } from '#event-store'
import { LogError } from '#kafka'
import { ProjectionError, ViewStoreUnavailableError } from '#projections'

/** The message for an unknown index. */
export const unknownIndex = ({ name, indexNames }: Projection, orderBy: string): string =>
  `projection ${name} has no index ${JSON.stringify(orderBy)}${suggestion(orderBy, indexNames)}`

export const noGeneration = (name: string, generation: string): ProjectionError =>
  new ProjectionError(
    'generation-not-found',
    `projection ${name} has no generation ${JSON.stringify(generation)}`,
  )

/** The error of a read whose event at `after` is not applied in time. */
export const behind = ({ name }: Projection, after: Position | undefined, waitMs: number): ProjectionError =>
  new ProjectionError(
    'projection-behind',
    `the event at ${after === undefined ? '' : formatPosition(after)} is not in projection ${name} after ${waitMs} ms: try again, or see GET /projections/${name} for its lag`,
    { retryAfterSeconds: 1 },
  )

/** Translates the error of a read at a position that is not in the log. */
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
