import type { UpcasterChain } from '#domain'

import { checkCompatibility } from './check-compatibility.ts'
import { checkReadable } from './check-readable.ts'
import { checkCurrent, checkReleased } from './check-released.ts'
import type { SchemaFolder } from './schema-folder.ts'
import type { SchemaProblem } from './schema-problem.ts'

/**
 * What makes schemas unfit to be released. Each check relies on the ones before it, so the first that finds something
 * ends it: samples of schemas that do not fit each other would only say the same again, less clearly.
 */
export function checkSound(folder: SchemaFolder, upcasters: UpcasterChain): readonly SchemaProblem[] {
  const problems = [...checkReadable(folder.catalog), ...checkCompatibility(folder.catalog, upcasters)]
  return problems.length > 0 ? problems : checkReleased(folder, upcasters)
}

/**
 * Everything that can be known of schemas without a registry: that versions read what they write and, with one full name, each other
 * (FULL_TRANSITIVE), that each breaking step has an upcaster, that nothing released has changed, that every version's
 * sample still reads as it should, that all are released and the generated types current. No problem: fit to be pushed.
 */
export function checkSchemas(folder: SchemaFolder, upcasters: UpcasterChain): readonly SchemaProblem[] {
  const problems = checkSound(folder, upcasters)
  return problems.length > 0 ? problems : checkCurrent(folder, upcasters)
}
