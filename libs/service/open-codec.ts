import type { Config } from '#config'
import { createUpcasterChain, type DomainModule } from '#domain'
import {
  EventCodec,
  jsonViewName,
  jsonViewSchema,
  loadCatalog,
  pushSchemas,
  SchemaCatalog,
  SchemaRegistry,
} from '#schemas'

import { registryOptions } from './connection-settings.ts'

/**
 * Opens the codec of a domain.
 * @param push whether schemas missing in the registry are registered; a reader leaves the registry unchanged
 * @throws SchemaError
 */
export async function openCodec(
  config: Config,
  domain: DomainModule,
  { push }: { readonly push: boolean },
): Promise<EventCodec> {
  const catalog = catalogOf(config.domain, domain)
  const registry = new SchemaRegistry(registryOptions(config))
  const upcasters = createUpcasterChain(domain.upcasters)
  const idFile = config.registry.idFile
  const codec = new EventCodec({ catalog, registry, upcasters, ...(idFile !== undefined && { idFile }) })
  const { missing, unreachable } = await codec.prepare()
  if (push && unreachable === undefined && missing.length > 0) {
    await pushSchemas(catalog, registry)
    await codec.prepare()
  }
  return codec
}

/**
 * The schemas of the folders, and built-in ones for views. A projection with its own schema keeps the built-in one
 * too, because its changelog may hold older views. A schema of its own with the same name replaces the built-in one.
 */
function catalogOf({ schemaFolders }: Config['domain'], { projections }: DomainModule): SchemaCatalog {
  const files = loadCatalog(schemaFolders)
  const builtIn = projections
    .map(({ name }) => name)
    .filter((name) => files.latest(name, jsonViewName) === undefined)
    .map(jsonViewSchema)
  return new SchemaCatalog([...files.all, ...builtIn])
}
