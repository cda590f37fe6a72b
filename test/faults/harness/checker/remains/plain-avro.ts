import avsc from 'avsc'

interface Field {
  readonly name: string
  readonly type: Schema
}
type Schema =
  | string
  | readonly Schema[]
  | {
      readonly type: string
      readonly logicalType?: string
      readonly scale?: number
      readonly fields?: readonly Field[]
    }

interface Reader {
  readonly schema: Schema
  readonly type: avsc.Type
}

const dayMs = 86_400_000

/** Reads values in the Confluent wire format with only avsc and the registry's HTTP interface. */
export class PlainAvro {
  readonly #registryUrl: string
  readonly #readers = new Map<number, Promise<Reader>>()

  constructor(registryUrl: string) {
    this.#registryUrl = registryUrl
  }

  /** The value in JSON form, for the types that the harness uses: dates, decimals, numbers and null. */
  async decode(value: Buffer): Promise<Readonly<Record<string, unknown>>> {
    if (value[0] !== 0)
      throw new Error(`the value begins with ${value[0]}: it is not in the Confluent wire format`)
    const { schema, type } = await this.#reader(value.readInt32BE(1))
    return jsonOf(schema, type.fromBuffer(value.subarray(5))) as Record<string, unknown>
  }

  #reader(id: number): Promise<Reader> {
    const known = this.#readers.get(id) ?? this.#fetch(id)
    this.#readers.set(id, known)
    return known
  }

  async #fetch(id: number): Promise<Reader> {
    const response = await fetch(`${this.#registryUrl}/schemas/ids/${id}`)
    if (!response.ok) throw new Error(`the registry answers ${response.status} for schema ${id}`)
    const { schema } = (await response.json()) as { schema: string }
    return {
      schema: JSON.parse(schema) as Schema,
      type: avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema, { logicalTypes: {} }),
    }
  }
}

function jsonOf(schema: Schema, value: unknown): unknown {
  if (typeof schema === 'string') return value
  if (Array.isArray(schema)) return value === null ? null : jsonOf(onlyOther(schema as Schema[]), value)
  const { logicalType, fields, scale = 0 } = schema as Exclude<Schema, string | readonly Schema[]>
  if (fields !== undefined) {
    const record = value as Record<string, unknown>
    return Object.fromEntries(fields.map(({ name, type }) => [name, jsonOf(type, record[name])]))
  }
  if (logicalType === 'date') return new Date((value as number) * dayMs).toISOString().slice(0, 10)
  if (logicalType === 'decimal') return decimalText(Buffer.from(value as Uint8Array), scale)
  if (logicalType === undefined) return value
  throw new Error(`the checker does not know the logical type ${logicalType}`)
}

function onlyOther(branches: readonly Schema[]): Schema {
  const [other, ...more] = branches.filter((branch) => branch !== 'null')
  if (other === undefined || more.length > 0)
    throw new Error('the checker supports only unions of null and one other type')
  return other
}

/** Two's complement, big endian. */
function decimalText(bytes: Buffer, scale: number): string {
  const unscaled = BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex') || '0'}`))
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
