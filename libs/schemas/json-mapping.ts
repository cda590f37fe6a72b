export type JsonKind = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object'

/** Converts between the JSON form of a value and avsc's own. There is one per shape. */
export interface Mapping {
  /** What it accepts, in words. */
  readonly expects: string
  /** The kinds of JSON that it may accept. They select the branch of a union. */
  readonly kinds: readonly JsonKind[]
  /** @throws Mismatch when the JSON does not fit. */
  toAvro(json: unknown): unknown
  /** @throws RangeError when avsc's value has no JSON form, e.g. a date in the year 12000. */
  fromAvro(value: unknown): unknown
}
