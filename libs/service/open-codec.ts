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
 * The codec of a domain, ready for use.
 * @param push whether schemas that the registry does not have are registered there; who only reads leaves it as it is.
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
 * The schemas of the folders, and built-in ones for views. A projection with a schema of its own has the built-in one as well,
 * for its changelog may hold views from before it had its own; unless its own is of the same name.
 */
function catalogOf({ schemaFolders }: Config['domain'], { projections }: DomainModule): SchemaCatalog {
  const files = loadCatalog(schemaFolders)
  const builtIn = projections
    .map(({ name }) => name)
    .filter((name) => files.latest(name, jsonViewName) === undefined)
    .map(jsonViewSchema)
  return new SchemaCatalog([...files.all, ...builtIn])
}
