import { InvalidInputError, type Projection, quote } from '#domain'

/** Some databases cannot index longer keys. */
const keyBytesMax = 1_024

/** @throws InvalidInputError when not every store could keep the key. */
export function checkKey({ name }: Projection, key: unknown): string {
  if (typeof key === 'string' && key !== '' && !isLonger(key, keyBytesMax) && isStorable(key)) return key
  throw new InvalidInputError(
    `projections.${name}.key`,
    `projection ${name} has the key ${quote(key)}: expected text of 1 to ${keyBytesMax} bytes, without U+0000`,
  )
}

/**
 * A reducer that forgets its return value must not make the next event start from the initial view.
 * @throws InvalidInputError when the reducer returned undefined.
 */
export function checkGiven({ name }: Projection, key: string, view: unknown): unknown {
  if (view !== undefined) return view
  throw wrongView(name, key, 'is undefined: expected plain JSON, or null to delete it')
}

/**
 * The JSON of a view, as stores keep it.
 * @throws InvalidInputError when it is not JSON, or larger than the projection allows.
 */
export function viewJson({ name, bytesMax }: Projection, key: string, view: unknown): string {
  const json = JSON.stringify(view) as string | undefined
  if (json === undefined)
    throw wrongView(name, key, `is ${typeof view}: expected plain JSON, or null to delete it`)
  if (isLonger(json, bytesMax)) {
    throw wrongView(name, key, `has more than ${bytesMax} bytes of JSON: keep less in it, or raise bytesMax`)
  }
  return json
}

/** In UTF-8 a text has at most three bytes for each UTF-16 code unit. */
const isLonger = (text: string, bytesMax: number): boolean =>
  text.length * 3 > bytesMax && new TextEncoder().encode(text).length > bytesMax

const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

const wrongView = (name: string, key: string, what: string): InvalidInputError =>
  new InvalidInputError(`projections.${name}`, `view ${quote(key)} of projection ${name} ${what}`)
