import type { SchemaCatalog } from './schema-catalog.ts'
import type { SchemaRegistry } from './schema-registry.ts'

interface PushedSchema {
  readonly file: string
  readonly subject: string
  readonly id: number
  /** False when the registry had it before. */
  readonly isNew: boolean
}

/**
 * Registers every version of every schema, oldest first. Registered ones do not change.
 * @throws SchemaError `incompatible`, `registry-refused`, `registry-unreachable`
 */
export async function pushSchemas(
  catalog: SchemaCatalog,
  registry: SchemaRegistry,
): Promise<readonly PushedSchema[]> {
  const pushed: PushedSchema[] = []
  for (const { file, subject, text } of catalog.all) {
    const known = await registry.find(subject, text)
    const id = known ?? (await registry.register(subject, text))
    pushed.push({ file, subject, id, isNew: known === undefined })
  }
  return pushed
}
