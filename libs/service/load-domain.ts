import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { defineDomain, type DomainModule, InvalidInputError } from '#domain'

/**
 * Loads domain modules and merges them into one.
 * @param paths of ES modules with a domain module as default export; relative ones are resolved against the working
 * directory
 * @throws InvalidInputError when a module cannot be loaded or is not a domain module, or two of them share an
 * aggregate or a projection
 */
export async function loadDomain(paths: readonly string[]): Promise<DomainModule> {
  const modules = await Promise.all(paths.map(loadModule))
  return defineDomain({
    aggregates: modules.flatMap(({ aggregates }) => aggregates),
    projections: modules.flatMap(({ projections }) => projections),
    upcasters: modules.flatMap(({ upcasters }) => upcasters),
  })
}

async function loadModule(path: string): Promise<DomainModule> {
  const loaded = await importModule(path)
  if (isDomainModule(loaded.default)) return loaded.default
  throw new InvalidInputError(
    'ANNALS_DOMAIN',
    `${path} is not a domain module: expected \`export default defineDomain({ aggregates: [ … ] })\``,
  )
}

async function importModule(path: string): Promise<{ default?: unknown }> {
  try {
    return (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new InvalidInputError('ANNALS_DOMAIN', `domain module ${path} cannot be loaded: ${reason}`, {
      cause,
    })
  }
}

const isDomainModule = (value: unknown): value is DomainModule =>
  typeof value === 'object' &&
  value !== null &&
  ['aggregates', 'projections', 'upcasters'].every((part) =>
    Array.isArray((value as Record<string, unknown>)[part]),
  )
