import { existsSync } from 'node:fs'

import type { Config } from '#config'
import { unknownName } from '#domain'
import { loadCatalog } from '#schemas'

import { OperationError } from '../operation-error.ts'
import type { ReplayRequest } from './replay-request.ts'

/**
 * Checks that the requested event types have schemas.
 * @returns a warning if records are copied without decoding: the log may contain a type that has no schema here.
 * @throws OperationError `invalid-request` with the nearest names if events are decoded, which needs the schema.
 */
export function eventTypesAsked(
  { domain }: Pick<Config, 'domain'>,
  { aggregateType, filter, destination }: Pick<ReplayRequest, 'aggregateType' | 'filter' | 'destination'>,
): readonly string[] {
  const { types = [] } = filter
  const isCopied = destination.kind === 'topic'
  if (types.length === 0 || (isCopied && !domain.schemaFolders.every((folder) => existsSync(folder))))
    return []
  const known = loadCatalog(domain.schemaFolders).names(aggregateType, 'event')
  const unknown = unknownName(`event type of ${aggregateType}`, types, known)
  if (unknown === undefined) return []
  const message = `--type: ${unknown}`
  if (!isCopied) throw new OperationError('invalid-request', message)
  return [`${message} The replay continues, because the log may contain it`]
}
