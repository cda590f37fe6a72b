import { InvalidInputError } from '#domain'

import { EventStoreError } from './errors.ts'

/** The error for a malformed request. @param path the invalid field */
export const invalidRequest = (path: string, message: string): EventStoreError =>
  new EventStoreError('invalid-request', message, { path })

/**
 * Parses a part of a request with a parser of the domain.
 * @throws EventStoreError `invalid-request` when the parser throws InvalidInputError.
 */
export function parseRequest<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error
    throw new EventStoreError('invalid-request', error.message, { path: error.path }, { cause: error })
  }
}
