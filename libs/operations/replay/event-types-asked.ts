import { existsSync } from 'node:fs'

import type { Config } from '#config'
import { unknownName } from '#domain'
import { loadCatalog } from '#schemas'

import { OperationError } from '../operation-error.ts'
import type { ReplayRequest } from './replay-request.ts'

/**
 * Looks whether there are schemas of the event types that are asked for.
 * @returns a warning where records are copied as they are, for then a type may be in the log that has no schema here.
 * @throws OperationError `invalid-request` with the nearest names where events are decoded: none of that type could be.
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
  return [`${message} It is looked for all the same: the log may hold it`]
}
