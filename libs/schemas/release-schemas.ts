import { isDeepStrictEqual } from 'node:util'

import type { UpcasterChain } from '#domain'

import { checkSound } from './check-schemas.ts'
import { readSample } from './read-sample.ts'
import { headerBytes, RecordCodec } from './record-codec.ts'
import { sampleValue } from './sample-value.ts'
import type { Sample, SchemaFolder } from './schema-folder.ts'
import type { SchemaProblem } from './schema-problem.ts'
import type { SchemaVersion } from './schema-version.ts'

interface Release {
  /** Files that are released now and were not before. */
  readonly released: readonly string[]
  /** If there are any, nothing was released. */
  readonly problems: readonly SchemaProblem[]
}

/**
 * Releases new versions, unless a schema is unsound: a release cannot be undone. It fingerprints them, stores a sample
 * of each, and updates what older samples read as today.
 */
export function releaseSchemas(folder: SchemaFolder, upcasters: UpcasterChain): Release {
  const problems = checkSound(folder, upcasters)
  if (problems.length > 0) return { released: [], problems }
  const fresh = folder.catalog.all.filter((schema) => !folder.isReleased(schema))
  for (const schema of folder.catalog.all) refreshSample(folder, upcasters, schema)
  for (const schema of fresh) folder.release(schema)
  return { released: fresh.map(({ file }) => file), problems }
}

function refreshSample(folder: SchemaFolder, upcasters: UpcasterChain, schema: SchemaVersion): void {
  const stored = folder.sample(schema)
  const body = stored?.body ?? newBody(schema)
  const sample: Sample = { body, ...readSample(folder.catalog, upcasters, schema, body) }
  if (!isDeepStrictEqual(stored, sample)) folder.writeSample(schema, sample)
}

const newBody = (schema: SchemaVersion): string =>
  new RecordCodec(schema).encode(0, sampleValue(schema.shape)).subarray(headerBytes).toString('base64')
