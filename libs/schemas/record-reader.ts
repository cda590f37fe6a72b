import type { UpcasterChain } from '#domain'

import { avroTypeOf } from './avro-type.ts'
import { type BodyReader, readBody, RecordCodec, schemaIdOf } from './record-codec.ts'
import type { SchemaCatalog } from './schema-catalog.ts'
import { reasonOf, SchemaError } from './schema-error.ts'
import { parseSchemaText } from './schema-text.ts'
import type { SchemaVersion } from './schema-version.ts'

/**
 * The content of the bytes of an event, of a snapshot's state or of a view, in the JSON form of the latest schema
 * version.
 */
export interface DecodedRecord {
  /** For a view, its projection. */
  readonly aggregateType: string
  /** For a state or a view, the name of its schema. */
  readonly eventType: string
  readonly data: unknown
}

/** How to read bytes with one schema id, or why they cannot be read. */
type Reader =
  | { readonly schema: SchemaVersion; readonly latest: number; readonly read: BodyReader }
  | { readonly problem: SchemaError }

/**
 * Decodes bytes that any version of a schema wrote. Avro resolves the writer's version to the latest compatible one (one
 * resolver per id), and the upcasters take it from there to the latest version. It asks no registry: its owner looks up
 * each id and passes the schema to {@link learn}.
 */
export class RecordReader {
  readonly #catalog: SchemaCatalog
  readonly #upcasters: UpcasterChain
  readonly #codecs = new Map<SchemaVersion, RecordCodec>()
  readonly #readers = new Map<number, Reader>()

  constructor(catalog: SchemaCatalog, upcasters: UpcasterChain) {
    this.#catalog = catalog
    this.#upcasters = upcasters
  }

  get isEmpty(): boolean {
    return this.#readers.size === 0
  }

  /** Whether the schema with this id has been learnt. */
  knows(schemaId: number): boolean {
    return this.#readers.has(schemaId)
  }

  /**
   * Learns the writer's schema of an id. A schema that cannot be used is remembered with its problem.
   * @param text Avro as JSON.
   */
  learn(schemaId: number, text: string): void {
    this.#readers.set(schemaId, this.#readerFor(schemaId, text))
  }

  /**
   * @throws SchemaError `unknown-schema` when the id has not been passed to {@link learn}, or its schema is not in the catalog;
   * `undecodable` for damaged bytes; `superseded` for a state or view from before a breaking step: those have no
   * upcasters, they are rebuilt. InvalidInputError when an upcaster fails.
   */
  decode(bytes: Buffer): DecodedRecord {
    const reader = this.#readers.get(schemaIdOf(bytes))
    if (reader === undefined) throw unknownSchema(schemaIdOf(bytes), 'has not been fetched yet')
    if ('problem' in reader) throw reader.problem
    const { schema, latest } = reader
    const { aggregateType, name, version, role } = schema
    if (version !== latest && role !== 'event') throw superseded(schema, latest)
    const data = readBody(reader.read, bytes, schema)
    return {
      aggregateType,
      eventType: name,
      data: version === latest ? data : this.#upcasters.upcast(aggregateType, name, version, latest, data),
    }
  }

  /** The codec of one schema version, created once. */
  codecOf(schema: SchemaVersion): RecordCodec {
    const codec = this.#codecs.get(schema) ?? new RecordCodec(schema)
    this.#codecs.set(schema, codec)
    return codec
  }

  #readerFor(id: number, text: string): Reader {
    try {
      const writer = avroTypeOf(parseSchemaText(text))
      const schema = this.#catalog.line(writer.name ?? '').at(-1)
      if (schema === undefined) {
        return {
          problem: unknownSchema(id, `is ${String(writer.name)}, which is in no schema file here`),
        }
      }
      const latest = this.#catalog.latest(schema.aggregateType, schema.name)?.version ?? schema.version
      return { schema, latest, read: this.codecOf(schema).readerOf(writer) }
    } catch (error) {
      return { problem: unknownSchema(id, `cannot be read with the schema files here: ${reasonOf(error)}`) }
    }
  }
}

/** The error for an id without a usable schema. @param why continues `schema id 7 …` */
export const unknownSchema = (schemaId: number, why: string): SchemaError =>
  new SchemaError('unknown-schema', `schema id ${schemaId} ${why}`, { schemaId })

const superseded = ({ role, fullName, version }: SchemaVersion, latest: number): SchemaError =>
  new SchemaError(
    'superseded',
    `this ${role} is of ${fullName}, version ${version}, which version ${latest} breaks with: it must be rebuilt`,
  )
