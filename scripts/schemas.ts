// Schemas without a registry: `check` them, generate `types`, or `release` new versions.
// Folders and domain modules are those of the environment (ANNALS_SCHEMAS, ANNALS_DOMAIN) or of the examples.
import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { createUpcasterChain, type DomainModule, type UpcasterChain } from '#domain'
import {
  checkSchemas,
  formatProblem,
  releaseSchemas,
  SchemaError,
  SchemaFolder,
  type SchemaProblem,
} from '#schemas'

const usage = 'usage: node scripts/schemas.ts check | types | release'

const listed = (name: string): string[] | undefined =>
  process.env[name]?.split(',').map((part) => part.trim())

/** What a person can put right: told in one line. */
class UserError extends Error {}

async function loadUpcasters(): Promise<UpcasterChain> {
  const files = listed('ANNALS_DOMAIN') ?? globSync('examples/*/domain.ts')
  const modules = await Promise.all(files.map(loadModule))
  return createUpcasterChain(modules.flatMap((module) => module.upcasters))
}

async function loadModule(file: string): Promise<DomainModule> {
  try {
    const module = (await import(pathToFileURL(resolve(file)).href)) as { default?: DomainModule }
    if (module.default !== undefined) return module.default
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UserError(`domain module ${file} cannot be loaded: ${reason}`, { cause })
  }
  throw new UserError(`${file} is not a domain module: expected \`export default defineDomain({ … })\``)
}

function report(problems: readonly SchemaProblem[]): void {
  for (const problem of problems) console.error(formatProblem(problem))
  process.exitCode = 1
}

async function check(folder: SchemaFolder): Promise<void> {
  const problems = checkSchemas(folder, await loadUpcasters())
  if (problems.length > 0) report(problems)
  else console.log(`${folder.path}: ${folder.catalog.all.length} schema versions, all sound`)
}

function types(folder: SchemaFolder): void {
  const written = folder.writeTypes()
  console.log(written.length === 0 ? `${folder.path}: types are current` : `written: ${written.join(', ')}`)
}

async function release(folder: SchemaFolder): Promise<void> {
  const { problems, released } = releaseSchemas(folder, await loadUpcasters())
  if (problems.length > 0) {
    report(problems)
    return
  }
  console.log(released.length === 0 ? `${folder.path}: nothing new` : `released: ${released.join(', ')}`)
  types(folder)
}

const commands = new Map<string | undefined, (folder: SchemaFolder) => Promise<void> | void>([
  ['check', check],
  ['types', types],
  ['release', release],
])

const command = commands.get(process.argv[2])
if (command === undefined) {
  console.error(usage)
  process.exitCode = 2
} else {
  try {
    for (const path of listed('ANNALS_SCHEMAS') ?? ['schemas']) await command(new SchemaFolder(path))
  } catch (error) {
    if (!(error instanceof SchemaError || error instanceof UserError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
