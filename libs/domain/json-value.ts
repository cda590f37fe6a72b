import { InvalidInputError, quote } from './invalid-input.ts'

/** How deep the data of an event may be nested: a request for an append, at most 100 levels deep, has three around it. */
export const valueDepthMax = 97

interface Fault {
  /** From the value's root: `.items[2].price`; empty for the root itself. */
  readonly path: string
  readonly message: string
}

/**
 * Whether a value is an object with members, as JSON knows them. A class of its own may have made it; one that JSON would write as something
 * else (a Date, whatever has `toJSON`) or whose content are no members (a Map, a Set) is none.
 */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return true
  return Object.prototype.toString.call(value) === '[object Object]' && !('toJSON' in value)
}

/** How the path of a member goes on: `.price`, or `["net price"]` where the key is no plain name. */
export const memberPath = (key: string): string =>
  /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`

/**
 * Checks that a value comes back as it is from JSON in UTF-8. Members that are undefined count as left out.
 * @param path of the value, e.g. `events[3].data`; empty for what paths begin in
 * @param depthMax how deep it may be nested
 * @throws InvalidInputError with the path of the first part that JSON would change or drop: NaN and infinities, bigints, Dates, Maps,
 * undefined among the items of an array, lone surrogates in text or keys, the key `__proto__`, a ring.
 */
export function checkJsonValue(value: unknown, path: string, depthMax = valueDepthMax): void {
  const fault = faultIn(value, depthMax)
  if (fault === undefined) return
  const place = path === '' ? fault.path.replace(/^\./, '') : path + fault.path
  throw new InvalidInputError(place, `${place}: ${fault.message}`)
}

const fault = (message: string, path = ''): Fault => ({ path, message })

const within = (segment: string, { path, message }: Fault): Fault => fault(message, segment + path)

/** @param levels that there may still be. */
function faultIn(value: unknown, levels: number): Fault | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? undefined : fault(`${quote(value)} ${loneSurrogate}`)
    case 'number':
      return Number.isFinite(value) ? undefined : fault(`expected a finite number, got ${value}`)
    case 'boolean':
      return undefined
    case 'bigint':
      return fault(`expected a number, or its digits in a string beyond 2^53, got the bigint ${quote(value)}`)
    case 'object':
      return value === null ? undefined : faultInside(value, levels)
    default:
      return fault(`expected a value that JSON has, got ${typeof value}`)
  }
}

const loneSurrogate = 'holds a lone surrogate, which has no UTF-8: expected well-formed text'

function faultInside(value: object, levels: number): Fault | undefined {
  if (levels === 0) return fault('nested too deep, or in a ring: expected flatter data')
  if (Array.isArray(value)) return faultAmongItems(value, levels - 1)
  if (!isJsonObject(value)) return fault(`expected plain JSON, got ${nameOf(value)}`)
  for (const key of Object.keys(value)) {
    const part = value[key]
    const found = part === undefined ? faultOfKey(key) : (faultOfKey(key) ?? faultIn(part, levels - 1))
    if (found !== undefined) return within(memberPath(key), found)
  }
  return undefined
}

/** By index, for `forEach` and its like pass over the holes of a sparse array. */
function faultAmongItems(items: readonly unknown[], levels: number): Fault | undefined {
  for (let index = 0; index < items.length; index++) {
    const found = faultIn(items[index], levels)
    if (found !== undefined) return within(`[${index}]`, found)
  }
  return undefined
}

function faultOfKey(key: string): Fault | undefined {
  if (key === '__proto__') return fault('a key that no object may have')
  return key.isWellFormed() ? undefined : fault(`a key that ${loneSurrogate}`)
}

/** `a Date`, as the class calls itself. */
const nameOf = (value: object): string => {
  const { constructor } = value
  return `a ${typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'foreign object'}`
}
