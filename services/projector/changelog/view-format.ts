import type { Lane } from '#bounds'
import type { Projection } from '#domain'
import { type EventCodec, jsonViewName, SchemaError, schemaIdOf } from '#schemas'

/** The parts of a projection that determine the format of its values. */
export type ViewSchema = Pick<Projection, 'name' | 'schema'>

/** The methods of the codec that are used. */
export type ViewCodec = Pick<EventCodec, 'encode' | 'decode' | 'learn'>

/** Converts a view between JSON and a value of the changelog, with the schema of the projection or the built-in one. */
export class ViewFormat {
  readonly #codec: ViewCodec

  constructor(codec: ViewCodec) {
    this.#codec = codec
  }

  /**
   * @param json the stored view.
   * @returns Avro in the Confluent wire format.
   * @throws InvalidInputError with the path of the field that does not match; SchemaError `unknown-schema` if there is no
   *   such view schema, `not-registered`.
   */
  encode({ name, schema }: ViewSchema, json: string): Buffer {
    return schema === undefined
      ? this.#codec.encode(name, jsonViewName, { json }, 'view')
      : this.#codec.encode(name, schema, JSON.parse(json), 'view')
  }

  /**
   * Decodes views to JSON: null for a deleted view, undefined for a view that predates a breaking change of its schema,
   * after which all views are published again.
   * @param turns in which views are decoded.
   * @throws SchemaError `unknown-schema`, `undecodable`, `registry-unreachable`
   */
  async decode(projection: ViewSchema, values: readonly (Buffer | null)[], turns: Lane): Promise<unknown[]> {
    await this.#codec.learn(values.filter((value) => value !== null).map(schemaIdOf))
    return turns.map(values, (value) => value && this.#decode(projection, value))
  }

  #decode({ schema }: ViewSchema, value: Buffer): unknown {
    try {
      const { eventType, data } = this.#codec.decode(value)
      // The value may predate the schema of the projection.
      const isText = eventType === jsonViewName && schema !== jsonViewName
      return isText ? JSON.parse((data as { readonly json: string }).json) : data
    } catch (error) {
      if (error instanceof SchemaError && error.code === 'superseded') return undefined
      throw error
    }
  }
}
