import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { dirname, join, relative } from 'node:path'

import { generateTypes } from './generate-types.ts'
import { reasonOf, SchemaError } from './schema-error.ts'
import { loadCatalog, type SchemaCatalog } from './schema-catalog.ts'
import type { SchemaVersion } from './schema-version.ts'

/** The bytes of a released version and what they decode to. Each file in `samples/` holds one; none is ever deleted. */
export interface Sample {
  /** The Avro body in base64, without the five bytes of the wire format. */
  readonly body: string
  /** What was written, in the JSON form of its own version. */
  readonly written: unknown
  /** What it decodes to today, in the JSON form of the latest version. */
  readonly latest: unknown
}

/**
 * A folder of schemas and the files beside them: generated types, samples, and the fingerprints of released versions.
 */
export class SchemaFolder {
  readonly path: string
  readonly catalog: SchemaCatalog

  /** @throws SchemaError `malformed-schema` */
  constructor(path: string) {
    this.path = path
    this.catalog = loadCatalog([path])
  }

  /**
   * SHA-256 of the JSON of each released file, by path in this folder. @throws SchemaError when the file is damaged.
   */
  released(): Readonly<Record<string, string>> {
    return (this.#readJson('released.json') ?? {}) as Record<string, string>
  }

  isReleased(schema: SchemaVersion): boolean {
    return this.released()[this.keyOf(schema)] !== undefined
  }

  release(schema: SchemaVersion): void {
    const released = { ...this.released(), [this.keyOf(schema)]: fingerprintOf(schema) }
    const sorted = Object.fromEntries(Object.entries(released).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    this.#write('released.json', json(sorted))
  }

  /** The schema file's path in this folder: `order/OrderPlaced.v1.avsc`. */
  keyOf(schema: SchemaVersion): string {
    return relative(this.path, schema.file)
  }

  samplePath(schema: SchemaVersion): string {
    return join(this.path, 'samples', this.keyOf(schema).replace(/avsc$/, 'json'))
  }

  sample(schema: SchemaVersion): Sample | undefined {
    return this.#readJson(relative(this.path, this.samplePath(schema))) as Sample | undefined
  }

  writeSample(schema: SchemaVersion, sample: Sample): void {
    this.#write(relative(this.path, this.samplePath(schema)), json(sample))
  }

  typesPath(aggregateType: string): string {
    return join(this.path, aggregateType, 'events.generated.ts')
  }

  typesAreCurrent(aggregateType: string): boolean {
    const path = this.typesPath(aggregateType)
    return existsSync(path) && readFileSync(path, 'utf8') === generateTypes(this.catalog, aggregateType)
  }

  /** Writes generated types that are not current. @returns their paths. */
  writeTypes(): readonly string[] {
    const stale = this.catalog.aggregateTypes.filter((type) => !this.typesAreCurrent(type))
    for (const type of stale) writeFileSync(this.typesPath(type), generateTypes(this.catalog, type))
    return stale.map((type) => this.typesPath(type))
  }

  #readJson(path: string): unknown {
    const file = join(this.path, path)
    if (!existsSync(file)) return undefined
    try {
      return JSON.parse(readFileSync(file, 'utf8'))
    } catch (error) {
      throw new SchemaError('malformed-schema', `${file}: not JSON: ${reasonOf(error)}`, { file })
    }
  }

  #write(path: string, text: string): void {
    const file = join(this.path, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
}

/** Computed from the parsed JSON, so that formatting a file does not change it. */
export const fingerprintOf = (schema: SchemaVersion): string =>
  createHash('sha256').update(schema.text).digest('hex')

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
