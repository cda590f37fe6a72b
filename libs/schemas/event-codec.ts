import type { UpcasterChain } from '#domain'

import { noSchemaOf } from './no-schema-of.ts'
import { type RecordCodec, schemaIdOf } from './record-codec.ts'
import { type DecodedRecord, RecordReader, unknownSchema } from './record-reader.ts'
import type { SchemaCatalog } from './schema-catalog.ts'
import { SchemaError } from './schema-error.ts'
import { SchemaIdFile } from './schema-id-file.ts'
import type { SchemaRegistry } from './schema-registry.ts'
import type { SchemaRole, SchemaVersion } from './schema-version.ts'

export interface EventCodecOptions {
  readonly catalog: SchemaCatalog
  readonly registry: SchemaRegistry
  readonly upcasters: UpcasterChain
  /** Where ids are stored for a start while the registry is down. Without it such a start fails. */
  readonly idFile?: string
}

/** What part of the catalog is usable after {@link EventCodec.prepare}. */
interface Preparation {
  /** Files whose schemas have no id yet, so their events cannot be encoded. Push them, then prepare again. */
  readonly missing: readonly string[]
  /** Why the registry could not be used; ids are from the file then. */
  readonly unreachable?: SchemaError
}

interface Writer {
  readonly codec: RecordCodec
  readonly schemaId: number
}

/** Concurrent requests to the registry. */
const concurrencyMax = 8

/**
 * Converts events, snapshot states and views between their JSON form and bytes in Confluent's wire format. Writing
 * uses the latest schema version. Reading resolves the writer's version to the latest compatible one (by Avro, with
 * one resolver per id) and then runs the upcasters. Both are synchronous: ids are fetched beforehand, from the
 * registry or, while it is down, from the id file.
 */
export class EventCodec {
  readonly #catalog: SchemaCatalog
  readonly #registry: SchemaRegistry
  readonly #reader: RecordReader
  readonly #idFile: SchemaIdFile | undefined
  readonly #writers = new Map<string, Map<string, Writer>>()
  /** Running requests by id, so that no id is requested twice at a time. */
  readonly #asked = new Map<number, Promise<string>>()

  constructor(options: EventCodecOptions) {
    this.#catalog = options.catalog
    this.#registry = options.registry
    this.#reader = new RecordReader(options.catalog, options.upcasters)
    this.#idFile =
      options.idFile === undefined ? undefined : new SchemaIdFile(options.idFile, options.registry.url)
  }

  /**
   * Finds the ids of all schemas in the catalog. Can be called again, e.g. after missing ones are pushed.
   * @throws SchemaError `registry-unreachable` when the registry is down and no id is known; `registry-refused`
   */
  async prepare(): Promise<Preparation> {
    const unreachable = await this.#findIds()
    const missing = this.#catalog.all.filter(
      (schema) => this.#isLatest(schema) && this.#writerOf(schema.aggregateType, schema.name) === undefined,
    )
    if (unreachable !== undefined && this.#reader.isEmpty) throw unreachable
    return {
      missing: missing.map(({ file }) => file),
      ...(unreachable === undefined ? {} : { unreachable }),
    }
  }

  /** Event types of an aggregate type that have a schema in the catalog, sorted. */
  eventTypes(aggregateType: string): readonly string[] {
    return this.#catalog.names(aggregateType, 'event')
  }

  /**
   * @param aggregateType for a view, its projection
   * @param name of the event type, or of the schema of a snapshot's state or of a view
   * @param json the data in JSON form; fields with a default may be omitted
   * @param role the use of the bytes. A schema of another role does not count, so a state cannot pass for an event.
   * @throws InvalidInputError with the path of the field that does not fit, e.g. `data.items[2].price`;
   * UnknownEventTypeError; SchemaError `unknown-schema` for a state or a view without a schema; `not-registered`
   */
  encode(aggregateType: string, name: string, json: unknown, role: SchemaRole = 'event'): Buffer {
    const writer = this.#writerOf(aggregateType, name)
    if (writer?.codec.schema.role !== role) throw this.#cannotWrite(aggregateType, name, role)
    return writer.codec.encode(writer.schemaId, json)
  }

  /** @throws as {@link RecordReader.decode} */
  decode(bytes: Buffer): DecodedRecord {
    return this.#reader.decode(bytes)
  }

  /** Decodes all records, after fetching unknown ids. @throws as {@link learn} and {@link decode} */
  async decodeMany(all: readonly Buffer[]): Promise<DecodedRecord[]> {
    await this.learn(all.map(schemaIdOf))
    return all.map((bytes) => this.decode(bytes))
  }

  /** Whether {@link decode} can read these bytes without {@link learn}. */
  knows(bytes: Buffer): boolean {
    return this.#reader.knows(schemaIdOf(bytes))
  }

  /**
   * Fetches the schemas of unknown ids from the registry. Sends no request when all are known.
   * @throws SchemaError `unknown-schema` when the registry has no such id; `registry-unreachable`
   */
  async learn(schemaIds: readonly number[]): Promise<void> {
    const unknown = [...new Set(schemaIds)].filter((id) => !this.#reader.knows(id))
    for (let at = 0; at < unknown.length; at += concurrencyMax) {
      const ids = unknown.slice(at, at + concurrencyMax)
      const texts = await Promise.all(ids.map((id) => this.#ask(id)))
      this.#adopt(new Map(ids.map((id, index) => [id, texts[index] ?? ''])))
    }
  }

  /**
   * Looks up the ids of the catalog's schemas in the registry, otherwise in the file. @returns why the file was used
   */
  async #findIds(): Promise<SchemaError | undefined> {
    const found = new Map<number, string>()
    try {
      for (const { subject, text } of this.#catalog.all) {
        const id = await this.#registry.find(subject, text)
        if (id !== undefined) found.set(id, text)
      }
    } catch (error) {
      if (!(error instanceof SchemaError) || error.code !== 'registry-unreachable') throw error
      this.#take(this.#idFile?.read() ?? new Map<number, string>())
      this.#take(found)
      return error
    }
    this.#adopt(found)
    return undefined
  }

  #ask(id: number): Promise<string> {
    const asked = this.#asked.get(id)
    if (asked !== undefined) return asked
    const asking = this.#registry
      .schemaById(id)
      .then((text) => {
        if (text === undefined) throw unknownSchema(id, `is not in the registry at ${this.#registry.url}`)
        return text
      })
      .finally(() => this.#asked.delete(id))
    this.#asked.set(id, asking)
    return asking
  }

  /** Stores ids from the registry, for times when it is down. */
  #adopt(texts: ReadonlyMap<number, string>): void {
    this.#take(texts)
    this.#idFile?.add(texts)
  }

  #take(texts: ReadonlyMap<number, string>): void {
    for (const [id, text] of texts) {
      this.#reader.learn(id, text)
      const schema = this.#catalog.all.find((known) => known.text === text)
      if (schema !== undefined && this.#isLatest(schema)) this.#setWriter(schema, id)
    }
  }

  #isLatest(schema: SchemaVersion): boolean {
    return this.#catalog.latest(schema.aggregateType, schema.name) === schema
  }

  #writerOf(aggregateType: string, name: string): Writer | undefined {
    return this.#writers.get(aggregateType)?.get(name)
  }

  #setWriter(schema: SchemaVersion, schemaId: number): void {
    const ofType = this.#writers.get(schema.aggregateType) ?? new Map<string, Writer>()
    ofType.set(schema.name, { codec: this.#reader.codecOf(schema), schemaId })
    this.#writers.set(schema.aggregateType, ofType)
  }

  #cannotWrite(aggregateType: string, name: string, role: SchemaRole): Error {
    const schema = this.#catalog.latest(aggregateType, name)
    if (schema?.role !== role) return noSchemaOf(this.#catalog, aggregateType, name, role)
    return new SchemaError(
      'not-registered',
      `${schema.file} is not registered at ${this.#registry.url}: run \`./annals schemas push\` while the registry is up`,
      { file: schema.file },
    )
  }
}
