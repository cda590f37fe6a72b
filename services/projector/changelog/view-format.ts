import type { Lane } from '#bounds'
import type { Projection } from '#domain'
import { type EventCodec, jsonViewName, SchemaError, schemaIdOf } from '#schemas'

/** What the form of a projection's values depends on. */
export type ViewSchema = Pick<Projection, 'name' | 'schema'>

/** What is needed of the codec. */
export type ViewCodec = Pick<EventCodec, 'encode' | 'decode' | 'learn'>

/** Between a view's JSON and a value of the changelog: by the schema that the projection declares, or by the built-in one. */
export class ViewFormat {
  readonly #codec: ViewCodec

  constructor(codec: ViewCodec) {
    this.#codec = codec
  }

  /**
   * @param json the view, as it is stored.
   * @returns Avro in the Confluent wire format.
   * @throws InvalidInputError with the path of the field that does not fit; SchemaError `unknown-schema` when there is no
   *   such view schema, `not-registered`.
   */
  encode({ name, schema }: ViewSchema, json: string): Buffer {
    return schema === undefined
      ? this.#codec.encode(name, jsonViewName, { json }, 'view')
      : this.#codec.encode(name, schema, JSON.parse(json), 'view')
  }

  /**
   * Views in their JSON form; null for one that is gone, undefined for one from before a breaking change of its schema:
   * all views are published again after such a change.
   * @param turns in which they are decoded.
   * @throws SchemaError `unknown-schema`, `undecodable`, `registry-unreachable`
   */
  async decode(projection: ViewSchema, values: readonly (Buffer | null)[], turns: Lane): Promise<unknown[]> {
    await this.#codec.learn(values.filter((value) => value !== null).map(schemaIdOf))
    return turns.map(values, (value) => value && this.#decode(projection, value))
  }

  #decode({ schema }: ViewSchema, value: Buffer): unknown {
    try {
      const { eventType, data } = this.#codec.decode(value)
      // It may be from before the projection had a schema of its own.
      const isText = eventType === jsonViewName && schema !== jsonViewName
      return isText ? JSON.parse((data as { readonly json: string }).json) : data
    } catch (error) {
      if (error instanceof SchemaError && error.code === 'superseded') return undefined
      throw error
    }
  }
}
