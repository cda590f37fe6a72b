export type JsonKind = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object'

/** Between the JSON form of a value and avsc's own: one per shape, made once. */
export interface Mapping {
  /** What it takes, in words. */
  readonly expects: string
  /** What of JSON it may take: chooses among a union's branches. */
  readonly kinds: readonly JsonKind[]
  /** @throws Mismatch when the JSON does not fit. */
  toAvro(json: unknown): unknown
  /** @throws RangeError when avsc's value has no JSON form, e.g. a date of the year 12000. */
  fromAvro(value: unknown): unknown
}
