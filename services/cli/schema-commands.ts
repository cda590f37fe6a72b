import type { Config } from '#config'
import { createUpcasterChain, type UpcasterChain } from '#domain'
import {
  checkSchemas,
  formatProblem,
  loadCatalog,
  pushSchemas,
  releaseSchemas,
  SchemaFolder,
  type SchemaProblem,
  SchemaRegistry,
} from '#schemas'
import { loadDomain, registryOptions } from '#service'

import type { CommandReport } from './cli.ts'
import { listOfPairs } from './table.ts'

type SchemaCommand = (config: Config) => CommandReport | Promise<CommandReport>

async function push(config: Config): Promise<CommandReport> {
  const registry = new SchemaRegistry(registryOptions(config))
  const pushed = await pushSchemas(loadCatalog(config.domain.schemaFolders), registry)
  const fresh = pushed.filter(({ isNew }) => isNew)
  const summary = `${pushed.length} schema versions are registered at ${registry.url}, ${fresh.length} of them new`
  return {
    document: { registry: registry.url, pushed },
    text: [...fresh.map(({ file, id }) => `registered ${file} as ${id}`), summary].join('\n'),
  }
}

async function check(config: Config): Promise<CommandReport> {
  const upcasters = await upcastersOf(config)
  const folders = foldersOf(config)
  const problems = folders.flatMap((folder) => checkSchemas(folder, upcasters))
  if (problems.length > 0) return problemReport(problems)
  const counts = folders.map((folder) => ({ folder: folder.path, versions: folder.catalog.all.length }))
  return {
    document: { problems, folders: counts },
    text: counts
      .map(({ folder, versions }) => `${folder}: ${versions} schema versions, no problems`)
      .join('\n'),
  }
}

function types(config: Config): CommandReport {
  const written = foldersOf(config).flatMap((folder) => folder.writeTypes())
  return {
    document: { written },
    text: listOfPairs([['written', written.join(', ') || 'nothing, types are up to date']]),
  }
}

async function release(config: Config): Promise<CommandReport> {
  const upcasters = await upcastersOf(config)
  const folders = foldersOf(config)
  const releases = folders.map((folder) => releaseSchemas(folder, upcasters))
  const problems = releases.flatMap((made) => made.problems)
  const released = releases.flatMap((made) => made.released)
  if (problems.length > 0) return problemReport(problems, { released })
  const written = folders.flatMap((folder) => folder.writeTypes())
  return {
    document: { problems, released, written },
    text: listOfPairs([
      ['released', released.join(', ') || 'nothing new'],
      ['written', written.join(', ') || 'nothing, types are up to date'],
    ]),
  }
}

const problemReport = (problems: readonly SchemaProblem[], more: object = {}): CommandReport => ({
  document: { problems, ...more },
  text: problems.map(formatProblem).join('\n'),
  exitCode: 1,
})

const foldersOf = ({ domain }: Config): readonly SchemaFolder[] =>
  domain.schemaFolders.map((path) => new SchemaFolder(path))

async function upcastersOf({ domain }: Config): Promise<UpcasterChain> {
  return createUpcasterChain((await loadDomain(domain.modules)).upcasters)
}

/** The subcommands of `schemas`. */
export const schemaCommands = { push, check, types, release } satisfies Record<string, SchemaCommand>
