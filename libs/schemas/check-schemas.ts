import type { UpcasterChain } from '#domain'

import { checkCompatibility } from './check-compatibility.ts'
import { checkReadable } from './check-readable.ts'
import { checkCurrent, checkReleased } from './check-released.ts'
import type { SchemaFolder } from './schema-folder.ts'
import type { SchemaProblem } from './schema-problem.ts'

/**
 * Problems that prevent a release. Each check relies on the earlier ones, so the first that finds something is the
 * last to run: samples of incompatible schemas would only repeat its findings less clearly.
 */
export function checkSound(folder: SchemaFolder, upcasters: UpcasterChain): readonly SchemaProblem[] {
  const problems = [...checkReadable(folder.catalog), ...checkCompatibility(folder.catalog, upcasters)]
  return problems.length > 0 ? problems : checkReleased(folder, upcasters)
}

/**
 * Everything that can be checked without a registry: versions read what they write and, with the same full name, each
 * other (FULL_TRANSITIVE); each breaking step has an upcaster; nothing released has changed; the sample of every
 * version still reads as it should; all versions are released; the generated types are current. Without a problem, the
 * schemas can be pushed.
 */
export function checkSchemas(folder: SchemaFolder, upcasters: UpcasterChain): readonly SchemaProblem[] {
  const problems = checkSound(folder, upcasters)
  return problems.length > 0 ? problems : checkCurrent(folder, upcasters)
}
