import fc, { type Arbitrary } from 'fast-check'

/** A schema, and values of it in the JSON form in which they are decoded. */
interface SchemaCase {
  readonly schema: unknown
  readonly values: Arbitrary<unknown>
}

const leaf = (schema: unknown, values: Arbitrary<unknown>): SchemaCase => ({ schema, values })

const text = fc.string({ unit: 'binary' })

const years = { min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }
const instants = fc.date(years).map((date) => date.toISOString())

const longs = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value)))

const base64 = (minLength = 0, maxLength = 40): Arbitrary<string> =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes).toString('base64'))

function decimals(precision: number, scale: number): Arbitrary<string> {
  const max = 10n ** BigInt(precision) - 1n
  return fc.bigInt({ min: -max, max }).map((unscaled) => {
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
    const point = digits.length - scale
    const sign = unscaled < 0n ? '-' : ''
    return sign + digits.slice(0, point) + (scale === 0 ? '' : `.${digits.slice(point)}`)
  })
}

const plain = { noDefaultInfinity: true, noNaN: true } as const
const noMinusZero = (value: number): number => value + 0

const scalars: readonly SchemaCase[] = [
  leaf('null', fc.constant(null)),
  leaf('boolean', fc.boolean()),
  leaf('int', fc.integer()),
  leaf('long', fc.oneof(longs, fc.maxSafeInteger())),
  leaf({ type: 'long', 'annals.long': 'number' }, fc.maxSafeInteger().map(noMinusZero)),
  leaf('float', fc.float(plain).map(noMinusZero)),
  leaf('double', fc.double(plain).map(noMinusZero)),
  leaf('string', text),
  leaf('bytes', base64()),
  leaf(
    { type: 'int', logicalType: 'date' },
    instants.map((instant) => instant.slice(0, 10)),
  ),
  leaf({ type: 'long', logicalType: 'timestamp-millis' }, instants),
  leaf(
    { type: 'long', logicalType: 'timestamp-micros' },
    instants.map((instant) => instant.replace('Z', '042Z')),
  ),
  leaf({ type: 'string', logicalType: 'uuid' }, fc.uuid()),
  leaf({ type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 }, decimals(12, 2)),
  leaf({ type: 'bytes', logicalType: 'decimal', precision: 38, scale: 0 }, decimals(38, 0)),
]

/** Named types of one schema need distinct names. */
interface Names {
  next: number
}

const freshName = (names: Names): string => `T${names.next++}`

const namedTypes: readonly ((names: Names) => SchemaCase)[] = [
  (names) => leaf({ type: 'fixed', name: freshName(names), size: 3 }, base64(3, 3)),
  (names) =>
    leaf({ type: 'enum', name: freshName(names), symbols: ['A', 'B', 'C'] }, fc.constantFrom('A', 'B', 'C')),
  (names) =>
    leaf(
      { type: 'fixed', name: freshName(names), size: 9, logicalType: 'decimal', precision: 20, scale: 5 },
      decimals(20, 5),
    ),
]

type Recipe = (names: Names) => SchemaCase

const arrayOf =
  (items: Recipe): Recipe =>
  (names) => {
    const item = items(names)
    return leaf({ type: 'array', items: item.schema }, fc.array(item.values, { maxLength: 4 }))
  }

const mapOf =
  (values: Recipe): Recipe =>
  (names) => {
    const value = values(names)
    const keys = text.filter((key) => key !== '__proto__')
    return leaf(
      { type: 'map', values: value.schema },
      fc.dictionary(keys, value.values, { maxKeys: 4, noNullPrototype: true }),
    )
  }

const nullable =
  (type: Recipe): Recipe =>
  (names) => {
    const { schema, values } = type(names)
    return Array.isArray(schema) || schema === 'null'
      ? leaf(schema, values)
      : leaf(['null', schema], fc.option(values))
  }

const recordOf =
  (fields: readonly Recipe[]): Recipe =>
  (names) => {
    const name = freshName(names)
    const made = fields.map((field, index) => ({ name: `f${index}`, ...field(names) }))
    return leaf(
      { type: 'record', name, fields: made.map((field) => ({ name: field.name, type: field.schema })) },
      fc.record(Object.fromEntries(made.map((field) => [field.name, field.values])), {
        noNullPrototype: true,
      }),
    )
  }

const { type: recipes } = fc.letrec<{ type: Recipe }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...scalars).map(
      (scalar): Recipe =>
        () =>
          scalar,
    ),
    fc.constantFrom(...namedTypes),
    tie('type').map(arrayOf),
    tie('type').map(mapOf),
    tie('type').map(nullable),
    fc.array(tie('type'), { maxLength: 3 }).map(recordOf),
  ),
}))

/** Records of any fields, nested. */
export const recordCases: Arbitrary<SchemaCase> = fc
  .array(recipes, { minLength: 1, maxLength: 4 })
  .map((fields) => recordOf(fields)({ next: 0 }))
