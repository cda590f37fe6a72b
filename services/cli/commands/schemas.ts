import type { Command } from 'commander'

import { type Config, loadConfig } from '#config'
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

import type { Cli, Report } from '../cli.ts'
import { list } from '../table.ts'

const notes = `
Folders are those of ANNALS_SCHEMAS, upcasters those of the domain modules of ANNALS_DOMAIN.

Examples:
  annals schemas check
  annals schemas push --json`

const subcommands = [
  { name: 'push', does: 'Register all schemas at the registry; what is there already stays.', run: push },
  { name: 'check', does: 'Find what is wrong with the schemas, without a registry.', run: check },
  { name: 'types', does: 'Bring the generated TypeScript types up to date.', run: types },
  {
    name: 'release',
    does: 'Check, then fingerprint new versions, keep samples, generate types.',
    run: release,
  },
] as const

export function addSchemas(program: Command, cli: Cli): void {
  const schemas = program.command('schemas').description("Look after the events' schemas.")
  schemas.addHelpText('after', notes)
  for (const { name, does, run } of subcommands) {
    schemas
      .command(name)
      .description(does)
      .addHelpText('after', notes)
      .action(async () => cli.report(await run(loadConfig(cli.env))))
  }
}

async function push(config: Config): Promise<Report> {
  const registry = new SchemaRegistry(registryOptions(config))
  const pushed = await pushSchemas(loadCatalog(config.domain.schemaFolders), registry)
  const fresh = pushed.filter(({ isNew }) => isNew)
  const summary = `${pushed.length} schema versions at ${registry.url}, ${fresh.length} of them new`
  return {
    document: { registry: registry.url, pushed },
    text: [...fresh.map(({ file, id }) => `registered ${file} as ${id}`), summary].join('\n'),
  }
}

async function check(config: Config): Promise<Report> {
  const upcasters = await upcastersOf(config)
  const folders = foldersOf(config)
  const problems = folders.flatMap((folder) => checkSchemas(folder, upcasters))
  if (problems.length > 0) return problemReport(problems)
  const counts = folders.map((folder) => ({ folder: folder.path, versions: folder.catalog.all.length }))
  return {
    document: { problems, folders: counts },
    text: counts
      .map(({ folder, versions }) => `${folder}: ${versions} schema versions, all sound`)
      .join('\n'),
  }
}

function types(config: Config): Report {
  const written = foldersOf(config).flatMap((folder) => folder.writeTypes())
  return {
    document: { written },
    text: list([['written', written.join(', ') || 'nothing, types are current']]),
  }
}

async function release(config: Config): Promise<Report> {
  const upcasters = await upcastersOf(config)
  const folders = foldersOf(config)
  const releases = folders.map((folder) => releaseSchemas(folder, upcasters))
  const problems = releases.flatMap((made) => made.problems)
  const released = releases.flatMap((made) => made.released)
  if (problems.length > 0) return problemReport(problems, { released })
  const written = folders.flatMap((folder) => folder.writeTypes())
  return {
    document: { problems, released, written },
    text: list([
      ['released', released.join(', ') || 'nothing new'],
      ['written', written.join(', ') || 'nothing, types are current'],
    ]),
  }
}

const problemReport = (problems: readonly SchemaProblem[], more: object = {}): Report => ({
  document: { problems, ...more },
  text: problems.map(formatProblem).join('\n'),
  exitCode: 1,
})

const foldersOf = ({ domain }: Config): readonly SchemaFolder[] =>
  domain.schemaFolders.map((path) => new SchemaFolder(path))

async function upcastersOf({ domain }: Config): Promise<UpcasterChain> {
  return createUpcasterChain((await loadDomain(domain.modules)).upcasters)
}
