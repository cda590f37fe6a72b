import { isDeepStrictEqual } from 'node:util'

import avro from 'avsc'

/**
 * Normalises all spellings of a value: field names in order, fields at their default left out, map keys in order,
 * bytes in base64. Values that are stored as the same bytes have the same form. A compatible schema change only adds
 * or removes fields with a default, so the form of older data does not change.
 */
type CanonicalForm = (value: unknown) => unknown

type AvroObject = Readonly<Record<string, unknown>>

/** @param type of the values. They must be decoded with it, so that defaults are filled in and unions are wrapped. */
export function canonicalFormOf(type: avro.Type, made = new Map<avro.Type, CanonicalForm>()): CanonicalForm {
  const known = made.get(type)
  if (known !== undefined) return known
  // A record may be recursive: a nested occurrence looks up the form when it gets a value.
  made.set(type, (value) => canonicalFormOf(type, made)(value))
  const form = formOf(type, made)
  made.set(type, form)
  return form
}

function formOf(type: avro.Type, made: Map<avro.Type, CanonicalForm>): CanonicalForm {
  if (type instanceof avro.types.RecordType) return recordForm(type, made)
  if (type instanceof avro.types.ArrayType) {
    const item = canonicalFormOf(type.itemsType, made)
    return (value) => (value as readonly unknown[]).map(item)
  }
  if (type instanceof avro.types.MapType) {
    const part = canonicalFormOf(type.valuesType as avro.Type, made)
    return (value) => sorted(value as AvroObject).map(([key, each]) => [key, part(each)])
  }
  return type instanceof avro.types.WrappedUnionType ? unionForm(type, made) : scalarForm
}

function recordForm(type: avro.types.RecordType, made: Map<avro.Type, CanonicalForm>): CanonicalForm {
  const fields = type.fields
    .map((field) => ({ name: field.name, form: canonicalFormOf(field.type, made), ...defaultOf(field) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return (value) =>
    fields.flatMap(({ name, form, byDefault }) => {
      const part = (value as AvroObject)[name]
      return byDefault !== undefined && isDeepStrictEqual(part, byDefault.value) ? [] : [[name, form(part)]]
    })
}

/** avsc returns undefined for a field without a default, while null is a valid default. */
function defaultOf(field: avro.types.Field): { readonly byDefault?: { readonly value: unknown } } {
  const value: unknown = field.defaultValue()
  return value === undefined ? {} : { byDefault: { value } }
}

function unionForm(type: avro.types.WrappedUnionType, made: Map<avro.Type, CanonicalForm>): CanonicalForm {
  const branches = new Map(
    type.types.map((branch) => [branch.branchName ?? '', canonicalFormOf(branch, made)]),
  )
  return (value) =>
    value === null
      ? null
      : sorted(value as AvroObject).map(([name, part]) => [name, branches.get(name)?.(part)])
}

const scalarForm: CanonicalForm = (value) => {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  return typeof value === 'bigint' ? String(value) : value
}

const sorted = (object: AvroObject): [string, unknown][] =>
  Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1))
