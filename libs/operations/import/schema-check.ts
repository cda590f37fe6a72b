import { existsSync } from 'node:fs'

import type { Config } from '#config'
import { createUpcasterChain } from '#domain'
import { eventTypeCheck } from '#event-store'
import { type EventCheck, eventCheckOf, loadCatalog } from '#schemas'
import { loadDomain } from '#service'

/**
 * A check of events against the schemas and domain modules of a configuration. The writer checks them again.
 * @param isRequired whether a missing schema folder is an error; otherwise nothing is checked without it.
 * @returns undefined if there are no schemas. @throws InvalidInputError, SchemaError
 */
export async function schemaCheckOf(
  { domain, writer }: Pick<Config, 'domain' | 'writer'>,
  isRequired: boolean,
): Promise<EventCheck | undefined> {
  if (!isRequired && !domain.schemaFolders.every((folder) => existsSync(folder))) return undefined
  const { aggregates, upcasters } = await loadDomain(domain.modules)
  const fits = eventCheckOf(loadCatalog(domain.schemaFolders), createUpcasterChain(upcasters))
  if (writer.eventTypes === 'any') return fits
  const isEvolved = eventTypeCheck(aggregates)
  return (aggregateType, type, data, schemaVersion) => {
    isEvolved(aggregateType, [{ type }])
    return fits(aggregateType, type, data, schemaVersion)
  }
}
