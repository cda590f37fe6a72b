/** What JSON.parse passes to a reviver besides the value: ECMAScript 2026, not yet in TypeScript's library. */
interface Source {
  /** The source text of a number. */
  readonly source?: string
}
type Reviver = (key: string, value: unknown, context: Source) => unknown

const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }

/**
 * Parses an Avro schema. Whole numbers beyond 2^53, which the default of a long may be, become bigints and so stay
 * exact.
 * @throws SyntaxError
 */
export const parseSchemaText = (text: string): unknown =>
  parseWithSource(text, (_, value, { source }) => {
    if (typeof value !== 'number') return withFloatingDefault(value)
    const isExact = Number.isSafeInteger(value) || source === undefined || !/^-?\d+$/.test(source)
    return isExact ? value : BigInt(source)
  })

/** The inverse, without white space. */
export const schemaTextOf = (schema: unknown): string =>
  JSON.stringify(schema, (_, value: unknown) => (typeof value === 'bigint' ? rawJSON(String(value)) : value))

/** The default of a floating-point field is a number, however many digits it has. */
function withFloatingDefault(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('default' in value && 'type' in value)) return value
  if (typeof value.default !== 'bigint' || !isFloating(value.type)) return value
  return { ...value, default: Number(value.default) }
}

const isFloating = (type: unknown): boolean => {
  const [first] = [type].flat() as readonly unknown[]
  return first === 'float' || first === 'double'
}
