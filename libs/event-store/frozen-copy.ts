/**
 * A copy that shares nothing with the original and that nobody can change.
 * @param value plain data: what JSON can hold.
 * @throws DOMException `DataCloneError` for what cannot be copied: functions, symbols.
 */
export const frozenCopy = <Value>(value: Value): Value => freezeDeep(structuredClone(value))

function freezeDeep<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) freezeDeep(part)
  return Object.freeze(value)
}
