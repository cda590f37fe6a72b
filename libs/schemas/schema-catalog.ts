import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { parseAggregateType } from '#domain'

import { reasonOf, SchemaError } from './schema-error.ts'
import { readSchemaVersion, type SchemaRole, type SchemaVersion } from './schema-version.ts'

/** Folders that are not aggregate types. */
const otherFolders = new Set(['samples'])

/** All schemas of the domain modules in use. */
export class SchemaCatalog {
  /** By aggregate type (for views, by projection), name and version. */
  readonly all: readonly SchemaVersion[]
  readonly #byName: ReadonlyMap<string, readonly SchemaVersion[]>
  readonly #byFullName: ReadonlyMap<string, readonly SchemaVersion[]>

  /** @throws SchemaError `malformed-schema` when versions have a gap, or two names or files collide. */
  constructor(versions: readonly SchemaVersion[]) {
    this.all = versions.toSorted(inOrder)
    this.#byName = groupBy(this.all, (schema) => keyOf(schema.aggregateType, schema.name))
    this.#byFullName = groupBy(this.all, (schema) => schema.fullName)
    this.#byName.forEach(checkVersions)
    this.#byFullName.forEach(checkLine)
  }

  /** Aggregate types and, for views, projections; sorted. */
  get aggregateTypes(): readonly string[] {
    return [...new Set(this.all.map((schema) => schema.aggregateType))]
  }

  /** All versions of an event, state or view, oldest first; none when there is no such schema. */
  versions(aggregateType: string, name: string): readonly SchemaVersion[] {
    return this.#byName.get(keyOf(aggregateType, name)) ?? []
  }

  latest(aggregateType: string, name: string): SchemaVersion | undefined {
    return this.versions(aggregateType, name).at(-1)
  }

  /** The compatible versions that share a full name, oldest first. Avro itself reads each of them as any other. */
  line(fullName: string): readonly SchemaVersion[] {
    return this.#byFullName.get(fullName) ?? []
  }

  /** Names of an aggregate type's schemas, sorted. @param role limits them to this role. */
  names(aggregateType: string, role?: SchemaRole): readonly string[] {
    const own = this.all.filter(
      (schema) => schema.aggregateType === aggregateType && (role === undefined || schema.role === role),
    )
    return [...new Set(own.map((schema) => schema.name))]
  }
}

/**
 * Reads every `<aggregateType>/<Name>.v<N>.avsc` in the folders.
 * @throws SchemaError `malformed-schema` for the first invalid file, or when a folder is missing
 */
export const loadCatalog = (folders: readonly string[]): SchemaCatalog =>
  new SchemaCatalog(folders.flatMap(readFolder))

function readFolder(folder: string): SchemaVersion[] {
  if (!existsSync(folder)) {
    throw new SchemaError(
      'malformed-schema',
      `schema folder ${folder} does not exist: expected <aggregateType>/<EventName>.v<N>.avsc in it`,
    )
  }
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !otherFolders.has(entry.name))
    .flatMap((entry) => readTypeFolder(folder, entry.name))
}

function readTypeFolder(folder: string, aggregateType: string): SchemaVersion[] {
  const files = readdirSync(join(folder, aggregateType)).filter((name) => name.endsWith('.avsc'))
  if (files.length > 0) checkTypeName(folder, aggregateType)
  return files.map((name) => readSchemaVersion(join(folder, aggregateType, name), aggregateType))
}

function checkTypeName(folder: string, name: string): void {
  try {
    parseAggregateType(name)
  } catch (error) {
    throw new SchemaError('malformed-schema', `folder ${join(folder, name)}: ${reasonOf(error)}`)
  }
}

const keyOf = (aggregateType: string, name: string): string => `${aggregateType}.${name}`

const inOrder = (a: SchemaVersion, b: SchemaVersion): number =>
  compare(a.aggregateType, b.aggregateType) || compare(a.name, b.name) || a.version - b.version

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

function groupBy(
  all: readonly SchemaVersion[],
  keyFor: (schema: SchemaVersion) => string,
): Map<string, SchemaVersion[]> {
  const groups = new Map<string, SchemaVersion[]>()
  for (const schema of all) groups.set(keyFor(schema), [...(groups.get(keyFor(schema)) ?? []), schema])
  return groups
}

/** Versions of one name are 1, 2, 3 … and have one role. */
function checkVersions(versions: readonly SchemaVersion[]): void {
  versions.forEach((schema, index) => {
    const before = versions[index - 1]
    if (before?.version === schema.version) {
      throw fault(schema, `version ${schema.version} is also in ${before.file}: keep one of them`)
    }
    if (schema.version !== index + 1) {
      throw fault(schema, `version ${index + 1} is missing: versions are 1, 2, 3 … without a gap`)
    }
    if (before !== undefined && before.role !== schema.role) {
      throw fault(schema, `its role is ${schema.role}, but that of ${before.file} is ${before.role}`)
    }
  })
}

/** A full name belongs to one name of one aggregate type, and to consecutive versions. */
function checkLine(line: readonly SchemaVersion[]): void {
  for (const [index, schema] of line.entries()) {
    const before = line[index - 1]
    if (before === undefined) continue
    const follows =
      before.aggregateType === schema.aggregateType &&
      before.name === schema.name &&
      before.version + 1 === schema.version
    if (!follows) {
      throw fault(
        schema,
        `its full name ${schema.fullName} is used by ${before.file}: give it another namespace, e.g. ${suggestedNamespace(schema)}`,
      )
    }
  }
}

/** A separate namespace for a version that breaks with the previous one. */
export const suggestedNamespace = ({ aggregateType, version }: SchemaVersion): string => {
  const base = aggregateType.replaceAll('-', '_')
  return version === 1 ? base : `${base}.v${version}`
}

const fault = (schema: SchemaVersion, message: string): SchemaError =>
  new SchemaError('malformed-schema', `${schema.file}: ${message}`, { file: schema.file })
