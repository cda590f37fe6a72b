import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'

import type { UpcasterChain } from '#domain'

import { readSample } from './read-sample.ts'
import { reasonOf } from './schema-error.ts'
import { fingerprintOf, type SchemaFolder } from './schema-folder.ts'
import type { SchemaProblem } from './schema-problem.ts'
import type { SchemaVersion } from './schema-version.ts'

/** Checks that every released schema exists unchanged, and that its sample can still be read. */
export const checkReleased = (folder: SchemaFolder, upcasters: UpcasterChain): readonly SchemaProblem[] => {
  const released = folder.released()
  const present = new Map(folder.catalog.all.map((schema) => [folder.keyOf(schema), schema]))
  const gone = Object.keys(released).filter((key) => !present.has(key))
  return [
    ...gone.map((key) => ({
      file: join(folder.path, key),
      message: 'it was released and is missing',
      remedy: 'Restore it: the log may contain events of it',
    })),
    ...[...present].flatMap(([key, schema]) =>
      released[key] === undefined
        ? []
        : [...checkFingerprint(schema, released[key]), ...checkSample(folder, upcasters, schema)],
    ),
  ]
}

/** Checks that the files written by `schemas release` and `schemas types` are current. */
export const checkCurrent = (folder: SchemaFolder, upcasters: UpcasterChain): readonly SchemaProblem[] => [
  ...folder.catalog.all.flatMap((schema) =>
    folder.isReleased(schema) ? checkLatest(folder, upcasters, schema) : [unreleased(schema)],
  ),
  ...folder.catalog.aggregateTypes.flatMap((type) => checkTypes(folder, type)),
]

const unreleased = ({ file }: SchemaVersion): SchemaProblem => ({
  file,
  message: 'it is not released yet',
  remedy: 'Run `./annals schemas release`',
})

function checkFingerprint(schema: SchemaVersion, released: string): readonly SchemaProblem[] {
  if (released === fingerprintOf(schema)) return []
  const next = `${schema.name}.v${schema.version + 1}.avsc`
  const remedy = `Restore it, and put the change into a new version, ${next}`
  return [{ file: schema.file, message: 'it has changed since it was released', remedy }]
}

function checkSample(
  folder: SchemaFolder,
  upcasters: UpcasterChain,
  schema: SchemaVersion,
): readonly SchemaProblem[] {
  const file = folder.samplePath(schema)
  const sample = folder.sample(schema)
  if (sample === undefined) {
    return [{ file, message: 'the sample of a released version is missing', remedy: 'Restore it' }]
  }
  try {
    const { written } = readSample(folder.catalog, upcasters, schema, sample.body)
    if (isDeepStrictEqual(written, sample.written)) return []
    const remedy = 'Restore the schema, the sample or the codec: stored events would read differently'
    return [{ file, message: `its bytes read as ${JSON.stringify(written)}`, remedy }]
  } catch (error) {
    const remedy = 'Correct the schemas or the upcasters: stored events could not be read'
    return [{ file, message: `it cannot be read as the latest version: ${reasonOf(error)}`, remedy }]
  }
}

/** Only for samples that have passed {@link checkReleased}. */
function checkLatest(
  folder: SchemaFolder,
  upcasters: UpcasterChain,
  schema: SchemaVersion,
): readonly SchemaProblem[] {
  const sample = folder.sample(schema)
  if (sample === undefined) return []
  const { latest } = readSample(folder.catalog, upcasters, schema, sample.body)
  if (isDeepStrictEqual(latest, sample.latest)) return []
  const remedy = 'If that is intended, run `./annals schemas release` and review what it changes'
  const message = `as the latest version it reads as ${JSON.stringify(latest)}`
  return [{ file: folder.samplePath(schema), message, remedy }]
}

function checkTypes(folder: SchemaFolder, aggregateType: string): readonly SchemaProblem[] {
  if (folder.typesAreCurrent(aggregateType)) return []
  const file = folder.typesPath(aggregateType)
  return [{ file, message: 'it does not match the schemas', remedy: 'Run `./annals schemas types`' }]
}
