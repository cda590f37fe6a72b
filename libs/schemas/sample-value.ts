import type { RecordShape, ScalarKind, Shape } from './shape.ts'

/** A plausible JSON value of a record, always the same: the sample of a version that has none yet. */
export const sampleValue = (shape: RecordShape): unknown => sampleOf(shape, shape.avroName, new Set())

const scalarSamples: Readonly<Record<Exclude<ScalarKind, 'string'>, unknown>> = {
  null: null,
  boolean: true,
  int: 42,
  long: '9007199254740993',
  'safe-long': Number.MAX_SAFE_INTEGER,
  float: 0.5,
  double: 2.718281828459045,
  bytes: 'AP+A',
  date: '2024-02-29',
  'timestamp-millis': '2024-02-29T12:34:56.789Z',
  'timestamp-micros': '2024-02-29T12:34:56.789012Z',
  uuid: '018dead5-0000-7000-8000-000000000001',
}

/** @param inside the enclosing records: a recursive one is left empty on the second level */
function sampleOf(shape: Shape, name: string, inside: ReadonlySet<Shape>): unknown {
  switch (shape.kind) {
    case 'string':
      return `${name} ✓`
    case 'decimal':
      return decimalSample(shape.precision, shape.scale)
    case 'fixed':
      return Buffer.alloc(shape.size, 0xa5).toString('base64')
    case 'enum':
      return shape.symbols.at(-1)
    case 'array':
      return inside.has(shape.items) ? [] : [sampleOf(shape.items, name, inside)]
    case 'map':
      return inside.has(shape.values) ? {} : { key: sampleOf(shape.values, name, inside) }
    case 'union': {
      const branch = shape.branches.findLast((each) => each.kind !== 'null' && !inside.has(each))
      return branch === undefined ? null : sampleOf(branch, name, inside)
    }
    case 'record': {
      const within = new Set(inside).add(shape)
      return Object.fromEntries(
        shape.fields.map((field) => [field.name, sampleOf(field.shape, field.name, within)]),
      )
    }
    default:
      return scalarSamples[shape.kind]
  }
}

/** All digits of the format, negative: `-1234567891.23`. */
function decimalSample(precision: number, scale: number): string {
  const digits = '1234567891'.repeat(Math.ceil(precision / 10)).slice(0, precision)
  const whole = digits.slice(0, precision - scale) || '0'
  return scale === 0 ? `-${whole}` : `-${whole}.${digits.slice(precision - scale)}`
}
