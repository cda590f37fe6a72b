import type { Type } from 'avsc'

import { checkJsonValue, InvalidInputError } from '#domain'

import { type Mapping } from './json-mapping.ts'
import { mappingOf } from './mapping.ts'
import { Mismatch } from './mismatch.ts'
import { reasonOf, SchemaError } from './schema-error.ts'
import type { SchemaRole, SchemaVersion } from './schema-version.ts'

/** Confluent's wire format: a zero, the schema's id in four bytes, Avro's body. */
export const headerBytes = 5

/** All bodies are written here first, and grow it where they need more. Encoding is synchronous, so one will do. */
let scratch = Buffer.alloc(64 * 1024)

/** What paths of wrong fields start with. */
const roots = { event: 'data', snapshot: 'state', view: 'view' } as const satisfies Record<SchemaRole, string>

/** Reads bytes of one writer's schema as a codec's own. Made by {@link RecordCodec.readerOf}. */
export type BodyReader = (bytes: Buffer) => unknown

/** JSON form to bytes and back by one version of a schema. */
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
      // avsc answers with the number of bytes that were missing, negated.
      scratch = Buffer.alloc(2 * (scratch.length - end))
      end = this.schema.type.encode(value, scratch, headerBytes)
    }
    scratch[0] = 0
    scratch.writeUInt32BE(schemaId, 1)
    return Buffer.from(scratch.subarray(0, end))
  }

  /** @throws Error as avsc words it, when Avro cannot resolve the writer's schema into this one. */
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
      // What no schema could take is found at the same place as by stores without schemas.
      checkJsonValue(json, root)
      const path = root + error.path
      const hint = error.isUnknownField ? `. ${this.#versionKnown()}` : ''
      throw new InvalidInputError(path, `${path}: ${error.message}${hint}`)
    }
  }

  /** Whoever has just added a field wonders: the schema has it, the process does not. */
  #versionKnown(): string {
    const { aggregateType, name, version } = this.schema
    return `${aggregateType}/${name}.v${version}.avsc, as it was when this process started, is the newest version that it knows: restart it after a change of schemas`
  }
}

/** The schema id that the bytes begin with. @throws SchemaError `undecodable` when they are not of the wire format. */
export function schemaIdOf(bytes: Buffer): number {
  if (bytes.length >= headerBytes && bytes[0] === 0) return bytes.readUInt32BE(1)
  throw new SchemaError(
    'undecodable',
    `${bytes.length} bytes that start with ${bytes.subarray(0, headerBytes).toString('hex') || 'nothing'} are not in Confluent's wire format: expected 00 and a schema id in four bytes`,
  )
}

/** Reads a body. @throws SchemaError `undecodable`, naming the schema. */
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
