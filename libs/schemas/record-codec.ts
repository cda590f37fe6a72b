import type { Type } from 'avsc'

import { checkJsonValue, InvalidInputError } from '#domain'

import { type Mapping } from './json-mapping.ts'
import { mappingOf } from './mapping.ts'
import { Mismatch } from './mismatch.ts'
import { reasonOf, SchemaError } from './schema-error.ts'
import type { SchemaRole, SchemaVersion } from './schema-version.ts'

/** Confluent's wire format: a zero byte, the schema id in four bytes, the Avro body. */
export const headerBytes = 5

/** All bodies are encoded here first; the buffer grows when needed. Encoding is synchronous, so one is enough. */
let scratch = Buffer.alloc(64 * 1024)

/** The first segment of the paths of invalid fields. */
const roots = { event: 'data', snapshot: 'state', view: 'view' } as const satisfies Record<SchemaRole, string>

/** Reads bytes of one writer schema into a codec's own form. Created by {@link RecordCodec.readerOf}. */
export type BodyReader = (bytes: Buffer) => unknown

/** Converts JSON to bytes and back with one version of a schema. */
export class RecordCodec {
  readonly schema: SchemaVersion
  readonly #mapping: Mapping

  constructor(schema: SchemaVersion) {
    this.schema = schema
    this.#mapping = mappingOf(schema.shape)
  }

  /** @throws InvalidInputError with the path of the field that does not fit. */
  encode(schemaId: number, json: unknown): Buffer {
    const value = this.#toAvro(json)
    let end = this.schema.type.encode(value, scratch, headerBytes)
    if (end < 0) {
      // avsc returns the number of missing bytes, negated.
      scratch = Buffer.alloc(2 * (scratch.length - end))
      end = this.schema.type.encode(value, scratch, headerBytes)
    }
    scratch[0] = 0
    scratch.writeUInt32BE(schemaId, 1)
    return Buffer.from(scratch.subarray(0, end))
  }

  /** @throws Error with avsc's message when Avro cannot resolve the writer's schema to this one. */
  readerOf(writer: Type): BodyReader {
    const own = this.schema.type
    const resolver = own.createResolver(writer)
    return (bytes) => {
      const decoded: { value: unknown; offset: number } = own.decode(bytes, headerBytes, resolver)
      if (decoded.offset !== bytes.length) {
        throw new RangeError(decoded.offset < 0 ? 'the bytes end too early' : 'there are bytes after the end')
      }
      return this.#mapping.fromAvro(decoded.value)
    }
  }

  #toAvro(json: unknown): unknown {
    try {
      return this.#mapping.toAvro(json)
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error
      const root = roots[this.schema.role]
      // A value that no schema could accept is reported at the same place as by stores without schemas.
      checkJsonValue(json, root)
      const path = root + error.path
      const hint = error.isUnknownField ? `. ${this.#versionKnown()}` : ''
      throw new InvalidInputError(path, `${path}: ${error.message}${hint}`)
    }
  }

  /** For a developer who has just added a field: the schema has it, but the process does not. */
  #versionKnown(): string {
    const { aggregateType, name, version } = this.schema
    return `${aggregateType}/${name}.v${version}.avsc is the newest version that this process knows, as of its start: restart it after changing schemas`
  }
}

/** The schema id at the start of the bytes. @throws SchemaError `undecodable` when they are not in the wire format. */
export function schemaIdOf(bytes: Buffer): number {
  if (bytes.length >= headerBytes && bytes[0] === 0) return bytes.readUInt32BE(1)
  throw new SchemaError(
    'undecodable',
    `${bytes.length} bytes that start with ${bytes.subarray(0, headerBytes).toString('hex') || 'nothing'} are not in Confluent's wire format: expected 00 and a schema id in four bytes`,
  )
}

/** Decodes a body. @throws SchemaError `undecodable` with the name of the schema. */
export function readBody(read: BodyReader, bytes: Buffer, schema: SchemaVersion): unknown {
  try {
    return read(bytes)
  } catch (error) {
    throw new SchemaError(
      'undecodable',
      `${bytes.length} bytes of ${schema.fullName} (schema id ${schemaIdOf(bytes)}) cannot be decoded: ${reasonOf(error)}`,
      { schemaId: schemaIdOf(bytes) },
    )
  }
}
