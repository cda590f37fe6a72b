import { InvalidInputError, quote } from './invalid-input.ts'

/** Maximum nesting depth of an event's data. A request may have 100 levels, and an append adds three around the data. */
const valueDepthMax = 97

interface Fault {
  /** Relative to the root of the value: `.items[2].price`; empty for the root itself. */
  readonly path: string
  readonly message: string
}

/**
 * Whether a value is an object that JSON writes as an object with its members. Instances of classes qualify. Objects with `toJSON`
 * (such as Date) and objects whose content is not in members (Map, Set) do not.
 */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return true
  return Object.prototype.toString.call(value) === '[object Object]' && !('toJSON' in value)
}

/** The path segment of a member: `.price`, or `["net price"]` when the key is not a plain name. */
export const memberPath = (key: string): string =>
  /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`

/**
 * Checks that a value survives a round trip through JSON in UTF-8 unchanged. Members with the value undefined count as absent.
 * @param path path of the value, e.g. `events[3].data`; empty for the root
 * @param depthMax maximum nesting depth
 * @throws InvalidInputError with the path of the first part that JSON would change or drop: NaN and infinities, bigints, Dates, Maps,
 * undefined array items, lone surrogates in text or keys, the key `__proto__`, circular references.
 */
export function checkJsonValue(value: unknown, path: string, depthMax = valueDepthMax): void {
  const fault = faultIn(value, depthMax)
  if (fault === undefined) return
  const place = path === '' ? fault.path.replace(/^\./, '') : path + fault.path
  throw new InvalidInputError(place, `${place}: ${fault.message}`)
}

const fault = (message: string, path = ''): Fault => ({ path, message })

const within = (segment: string, { path, message }: Fault): Fault => fault(message, segment + path)

/** @param levels nesting levels that are still allowed */
function faultIn(value: unknown, levels: number): Fault | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? undefined : fault(`${quote(value)} ${loneSurrogate}`)
    case 'number':
      return Number.isFinite(value) ? undefined : fault(`expected a finite number, got ${value}`)
    case 'boolean':
      return undefined
    case 'bigint':
      return fault(`expected a number, or a string of digits beyond 2^53, got the bigint ${quote(value)}`)
    case 'object':
      return value === null ? undefined : faultInside(value, levels)
    default:
      return fault(`expected a JSON value, got ${typeof value}`)
  }
}

const loneSurrogate = 'contains a lone surrogate, which UTF-8 cannot encode: expected well-formed text'

function faultInside(value: object, levels: number): Fault | undefined {
  if (levels === 0) return fault('nested too deep, or circular: expected flatter data')
  if (Array.isArray(value)) return faultAmongItems(value, levels - 1)
  if (!isJsonObject(value)) return fault(`expected plain JSON, got ${nameOf(value)}`)
  for (const key of Object.keys(value)) {
    const part = value[key]
    const found = part === undefined ? faultOfKey(key) : (faultOfKey(key) ?? faultIn(part, levels - 1))
    if (found !== undefined) return within(memberPath(key), found)
  }
  return undefined
}

/** Iterates by index, because `forEach` skips the holes of a sparse array. */
function faultAmongItems(items: readonly unknown[], levels: number): Fault | undefined {
  for (let index = 0; index < items.length; index++) {
    const found = faultIn(items[index], levels)
    if (found !== undefined) return within(`[${index}]`, found)
  }
  return undefined
}

function faultOfKey(key: string): Fault | undefined {
  if (key === '__proto__') return fault('this key is not allowed')
  return key.isWellFormed() ? undefined : fault(`a key that ${loneSurrogate}`)
}

/** The class name with its article: `a Date`. */
const nameOf = (value: object): string => {
  const { constructor } = value
  return `a ${typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'foreign object'}`
}
