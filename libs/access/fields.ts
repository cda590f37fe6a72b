import { InvalidInputError, isJsonObject, memberPath, quote, suggestion } from '#domain'

/** @throws InvalidInputError `path is …: expected …` */
export function wrong(path: string, value: unknown, expected: string): never {
  const found = value === undefined ? 'is missing' : `is ${quote(value)}`
  throw new InvalidInputError(path, `${path} ${found}: expected ${expected}`)
}

export const inside = (path: string, key: string): string =>
  path === '' ? memberPath(key).replace(/^\./, '') : path + memberPath(key)

/** The members of an object that has no others than these. @throws InvalidInputError */
export function fieldsOf<Name extends string>(
  value: unknown,
  path: string,
  names: readonly Name[],
): Readonly<Partial<Record<Name, unknown>>> {
  if (!isJsonObject(value)) return wrong(path, value, `an object with ${names.join(', ')}`)
  const known: readonly string[] = names
  const unknown = Object.keys(value).find((name) => !known.includes(name))
  if (unknown === undefined) return value as Partial<Record<Name, unknown>>
  const place = inside(path, unknown)
  throw new InvalidInputError(place, `${place}: there is no such field${suggestion(unknown, names)}`)
}

const itemsMax = 1_000

/** @throws InvalidInputError unless it is an array of at most so many items */
export function listOf<Item>(
  value: unknown,
  path: string,
  what: string,
  parseItem: (item: unknown, path: string) => Item,
  lengthMax = itemsMax,
): readonly Item[] {
  if (!Array.isArray(value)) return wrong(path, value, `a list of ${what}`)
  if (value.length > lengthMax) {
    throw new InvalidInputError(path, `${path} has ${value.length} ${what}: expected at most ${lengthMax}`)
  }
  // Not `map`, which skips holes.
  return Array.from(value as unknown[], (item, index) => parseItem(item, `${path}[${index}]`))
}

/** @throws InvalidInputError */
export function textOf(value: unknown, path: string, lengthMax: number): string {
  if (typeof value === 'string' && value.length <= lengthMax && value.isWellFormed()) return value
  return wrong(path, value, `text of at most ${lengthMax} characters`)
}

const isoPattern = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/

/** @throws InvalidInputError */
export function timeOf(value: unknown, path: string): string {
  const day = typeof value === 'string' ? isoPattern.exec(value)?.[1] : undefined
  if (typeof value === 'string' && day !== undefined && !Number.isNaN(Date.parse(value))) {
    // Date takes February 30 for March 1 or 2.
    const midnight = new Date(`${day}T00:00:00Z`)
    if (!Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day)) return value
  }
  return wrong(path, value, 'a time with its zone, as 2030-12-31T23:59:59Z')
}
