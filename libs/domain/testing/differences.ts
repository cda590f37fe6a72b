/**
 * Lists the differences between two JSON-like values, one line for each path; empty when they are equal.
 * A field with the value undefined counts as absent, as in JSON.
 */
export function differences(expected: unknown, actual: unknown, path = ''): readonly string[] {
  if (Object.is(expected, actual)) return []
  if (!isComposite(expected) || !isComposite(actual) || Array.isArray(expected) !== Array.isArray(actual)) {
    return [`${path === '' ? 'value' : path}: expected ${show(expected)}, got ${show(actual)}`]
  }
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)])
  return [...keys].flatMap((key) => differences(expected[key], actual[key], join(path, key)))
}

const isComposite = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const join = (path: string, key: string): string =>
  /^\d+$/.test(key) ? `${path}[${key}]` : `${path}${path === '' ? '' : '.'}${key}`

const show = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value))
