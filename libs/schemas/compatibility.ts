import type { FieldShape, RecordShape, Shape, UnionShape } from './shape.ts'

/** Why data of one schema cannot be read with another. */
interface Incompatibility {
  /** The path of the field, e.g. `items[].price`; empty for the record itself. */
  readonly path: string
  readonly message: string
}

/**
 * What prevents `reader` from reading everything that `writer` wrote. Stricter than Avro, whose promotions (int to
 * long, string to bytes) would change the JSON form of stored data: kinds, precision and scale must not change. avsc
 * checks neither logical types nor whether another branch of the union is first.
 */
export const incompatibilities = (reader: Shape, writer: Shape): readonly Incompatibility[] =>
  compare(reader, writer, '', new Set())

function compare(reader: Shape, writer: Shape, path: string, seen: Set<string>): readonly Incompatibility[] {
  const fault = (message: string): readonly Incompatibility[] => [{ path, message }]
  if (describe(reader) !== describe(writer)) return fault(`${describe(writer)} became ${describe(reader)}`)
  switch (reader.kind) {
    case 'record':
      return compareRecords(reader, writer as RecordShape, path, seen)
    case 'array':
      return compare(reader.items, (writer as typeof reader).items, `${path}[]`, seen)
    case 'map':
      return compare(reader.values, (writer as typeof reader).values, `${path}[]`, seen)
    case 'union':
      return compareUnions(reader, writer as UnionShape, path, seen)
    case 'enum': {
      const lost = (writer as typeof reader).symbols.filter((symbol) => !reader.symbols.includes(symbol))
      return lost.length === 0 || reader.default !== undefined
        ? []
        : fault(`${lost.join(', ')} cannot be read by a version without it, because that enum has no default`)
    }
    default:
      return []
  }
}

/** A shape in words. Shapes that Avro must not confuse have different descriptions. */
function describe(shape: Shape): string {
  switch (shape.kind) {
    case 'decimal': {
      const carrier = shape.size === undefined ? 'bytes' : `fixed ${shape.avroName} of ${shape.size} bytes`
      return `decimal(${shape.precision}, ${shape.scale}) in ${carrier}`
    }
    case 'fixed':
      return `fixed ${shape.avroName} of ${shape.size} bytes`
    case 'enum':
    case 'record':
      return `${shape.kind} ${shape.avroName}`
    case 'safe-long':
      return 'long within 2^53'
    default:
      return shape.kind
  }
}

function compareRecords(
  reader: RecordShape,
  writer: RecordShape,
  path: string,
  seen: Set<string>,
): readonly Incompatibility[] {
  if (seen.has(reader.avroName)) return []
  seen.add(reader.avroName)
  return reader.fields.flatMap((field) => compareField(field, writer, path, seen))
}

function compareField(
  field: FieldShape,
  writer: RecordShape,
  path: string,
  seen: Set<string>,
): readonly Incompatibility[] {
  const fieldPath = path === '' ? field.name : `${path}.${field.name}`
  const names = [field.name, ...field.aliases]
  const written = writer.fields.find(({ name }) => names.includes(name))
  if (written !== undefined) return compare(field.shape, written.shape, fieldPath, seen)
  if (field.hasDefault) return []
  return [
    { path: fieldPath, message: 'a version without this field cannot be read, because it has no default' },
  ]
}

/** avsc reads values of one as the other if a union has the other first. */
const promotedAlike = [
  ['int', 'long', 'float', 'double'],
  ['string', 'bytes'],
]

function compareUnions(
  reader: UnionShape,
  writer: UnionShape,
  path: string,
  seen: Set<string>,
): readonly Incompatibility[] {
  return writer.branches.flatMap((branch) => {
    const match = reader.branches.find((own) => own.avroName === branch.avroName)
    if (match === undefined) return [{ path, message: `the union lost its branch ${describe(branch)}` }]
    const alike = promotedAlike.find((names) => names.includes(branch.avroName)) ?? [branch.avroName]
    const first = reader.branches.find((own) => alike.includes(own.avroName))
    if (first !== match) {
      const order = `${describe(branch)} would be read as ${describe(first ?? match)}`
      return [{ path, message: `${order}, which is first in the union` }]
    }
    return compare(match, branch, path, seen)
  })
}
