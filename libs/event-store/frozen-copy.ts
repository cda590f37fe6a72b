/**
 * A copy that shares nothing with the original and that nobody can change.
 * @param value plain data: what JSON can hold.
 * @throws DOMException `DataCloneError` for what cannot be copied: functions, symbols.
 */
export const frozenCopy = <Value>(value: Value): Value => freezeDeep(structuredClone(value))

/**
 * The same of a value that comes back as it is from JSON: without members that are undefined, and with 0 for -0, as JSON has it.
 * @param value as `checkJsonValue` takes it.
 */
export const frozenJson = <Value extends object>(value: Value): Value =>
  freezeDeep(JSON.parse(JSON.stringify(value)) as Value)

function freezeDeep<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) freezeDeep(part)
  return Object.freeze(value)
}
