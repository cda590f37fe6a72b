import { InvalidInputError } from '#domain'

import { EventStoreError } from './errors.ts'

/** A request that cannot be understood; `path` names the place. */
export const invalidRequest = (path: string, message: string): EventStoreError =>
  new EventStoreError('invalid-request', message, { path })

/**
 * Parses a part of a request with the domain's own parsers.
 * @throws EventStoreError `invalid-request` where the parser finds the input malformed.
 */
export function parseRequest<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error
    throw new EventStoreError('invalid-request', error.message, { path: error.path }, { cause: error })
  }
}
