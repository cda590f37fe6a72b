import { isJsonObject, memberPath, nearestNames, quote } from '#domain'

import type { JsonKind, Mapping } from './json-mapping.ts'
import { Mismatch, within } from './mismatch.ts'
import { scalarMapping } from './scalar-mapping.ts'
import type { ArrayShape, MapShape, RecordShape, Shape, UnionShape } from './shape.ts'

/** The mapping of a shape. A recursive record finds itself in `made`. */
export function mappingOf(shape: Shape, made = new Map<Shape, Mapping>()): Mapping {
  switch (shape.kind) {
    case 'record':
      return made.get(shape) ?? new RecordMapping(shape, made)
    case 'array':
      return arrayMapping(shape, made)
    case 'map':
      return mapMapping(shape, made)
    case 'union':
      return unionMapping(shape, made)
    default:
      return scalarMapping(shape)
  }
}

type JsonObject = Record<string, unknown>

const kindOf = (json: unknown): JsonKind | undefined => {
  if (json === null) return 'null'
  if (Array.isArray(json)) return 'array'
  const kind = typeof json
  return kind === 'boolean' || kind === 'number' || kind === 'string' || kind === 'object' ? kind : undefined
}

interface FieldMapping {
  readonly name: string
  readonly optional: boolean
  readonly mapping: Mapping
}

/** A mistyped name is looked for among this many unknown keys, each up to this length. */
const unknownMax = 50
const unknownLengthMax = 200

class RecordMapping implements Mapping {
  readonly expects: string
  readonly kinds = ['object'] as const
  readonly #fields: readonly FieldMapping[]

  constructor(shape: RecordShape, made: Map<Shape, Mapping>) {
    made.set(shape, this)
    this.expects = `an object (${shape.avroName})`
    this.#fields = shape.fields.map(({ name, hasDefault, shape: field }) => ({
      name,
      optional: hasDefault,
      mapping: mappingOf(field, made),
    }))
  }

  toAvro(json: unknown): JsonObject {
    if (!isJsonObject(json)) throw Mismatch.of(this.expects, json)
    const value: JsonObject = {}
    let present = 0
    for (const field of this.#fields) {
      const part = json[field.name]
      if (part !== undefined) {
        value[field.name] = fieldToAvro(field, part)
        present++
      } else if (!field.optional) {
        throw within(`.${field.name}`, this.#missing(field, json))
      }
    }
    if (Object.keys(json).length !== present) this.#refuseUnknown(json)
    return value
  }

  /**
   * Returns a plain object: avsc's records are instances of a class, which some code that clones or compares does not
   * accept.
   */
  fromAvro(value: unknown): JsonObject {
    const json: JsonObject = {}
    for (const { name, mapping } of this.#fields) json[name] = mapping.fromAvro((value as JsonObject)[name])
    return json
  }

  /** A missing field may be present under a mistyped name. */
  #missing({ name, mapping }: FieldMapping, json: JsonObject): Mismatch {
    const [mistyped] = nearestNames(name, this.#unknownIn(json))
    const hint = mistyped === undefined ? '' : `; ${quote(mistyped)} is not a field: did you mean ${name}?`
    return new Mismatch(`missing: expected ${mapping.expects}${hint}`)
  }

  #unknownIn(json: JsonObject): readonly string[] {
    return Object.keys(json)
      .filter((key) => key.length <= unknownLengthMax && !this.#fields.some(({ name }) => name === key))
      .slice(0, unknownMax)
  }

  #refuseUnknown(json: JsonObject): void {
    const known = this.#fields.map(({ name }) => name)
    const unknown = Object.keys(json).find((key) => !known.includes(key))
    if (unknown === undefined) return // A known field that is present as undefined counts as omitted.
    throw within(memberPath(unknown), new Mismatch(`unknown field: expected only ${known.join(', ')}`, true))
  }
}

function fieldToAvro(field: FieldMapping, part: unknown): unknown {
  try {
    return field.mapping.toAvro(part)
  } catch (error) {
    throw within(`.${field.name}`, error)
  }
}

function arrayMapping(shape: ArrayShape, made: Map<Shape, Mapping>): Mapping {
  const items = mappingOf(shape.items, made)
  const expects = 'an array'
  const itemToAvro = (item: unknown, index: number): unknown => {
    try {
      return items.toAvro(item)
    } catch (error) {
      throw within(`[${index}]`, error)
    }
  }
  return {
    expects,
    kinds: ['array'],
    toAvro(json) {
      if (!Array.isArray(json)) throw Mismatch.of(expects, json)
      // Not json.map, which skips the holes of a sparse array.
      return Array.from(json, itemToAvro)
    },
    fromAvro: (value) => (value as unknown[]).map((item) => items.fromAvro(item)),
  }
}

function mapMapping(shape: MapShape, made: Map<Shape, Mapping>): Mapping {
  const values = mappingOf(shape.values, made)
  const expects = 'an object (a map)'
  const partToAvro = (key: string, part: unknown): unknown => {
    try {
      if (key === '__proto__' || !key.isWellFormed()) throw new Mismatch('this key is not allowed in a map')
      return values.toAvro(part)
    } catch (error) {
      throw within(memberPath(key), error)
    }
  }
  return {
    expects,
    kinds: ['object'],
    toAvro(json) {
      if (!isJsonObject(json)) throw Mismatch.of(expects, json)
      const value: JsonObject = {}
      for (const [key, part] of Object.entries(json)) {
        if (part !== undefined) value[key] = partToAvro(key, part)
      }
      return value
    },
    fromAvro: (value) =>
      Object.fromEntries(
        Object.entries(value as JsonObject).map(([key, part]) => [key, values.fromAvro(part)]),
      ),
  }
}

interface Branch {
  readonly name: string
  readonly mapping: Mapping
}

function unionMapping(shape: UnionShape, made: Map<Shape, Mapping>): Mapping {
  const branches = shape.branches.map((branch) => ({
    name: branch.avroName,
    mapping: mappingOf(branch, made),
  }))
  const byName = new Map(branches.map((branch) => [branch.name, branch]))
  const expects = branches.map(({ mapping }) => mapping.expects).join(' or ')
  return {
    expects,
    kinds: [...new Set(branches.flatMap(({ mapping }) => mapping.kinds))],
    toAvro: (json) => unionToAvro(branches, expects, json),
    fromAvro(value) {
      if (value === null) return null
      // avsc wraps the value in an object whose only key names the branch.
      for (const name in value as JsonObject) {
        return byName.get(name)?.mapping.fromAvro((value as JsonObject)[name])
      }
      return undefined
    },
  }
}

/**
 * If one branch accepts this kind of JSON, it reports its own mismatch with its path. Among several, the first that
 * fits is used.
 */
function unionToAvro(branches: readonly Branch[], expects: string, json: unknown): unknown {
  const kind = kindOf(json)
  const candidates = branches.filter(({ mapping }) => kind !== undefined && mapping.kinds.includes(kind))
  const [only] = candidates
  if (only !== undefined && candidates.length === 1) return wrap(only, json)
  for (const candidate of candidates) {
    try {
      return wrap(candidate, json)
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error
    }
  }
  throw Mismatch.of(expects, json)
}

const wrap = ({ name, mapping }: Branch, json: unknown): unknown =>
  json === null ? null : { [name]: mapping.toAvro(json) }
