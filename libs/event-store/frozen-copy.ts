/**
 * A deeply frozen copy that shares nothing with the original.
 * @param value plain data.
 * @throws DOMException `DataCloneError` for functions and symbols.
 */
export const frozenCopy = <Value>(value: Value): Value => freezeDeep(structuredClone(value))

/**
 * A deeply frozen copy of a value after a round trip through JSON: without undefined members, and with 0 for -0.
 * @param value a value that `checkJsonValue` accepts.
 */
export const frozenJson = <Value extends object>(value: Value): Value =>
  freezeDeep(JSON.parse(JSON.stringify(value)) as Value)

function freezeDeep<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) freezeDeep(part)
  return Object.freeze(value)
}
