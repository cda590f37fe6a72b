const special = /[\\^$.|?*+()[\]{}]/g

/** Whether a text matches a pattern in which `*` stands for any characters: `access.*`, `cli:*`. */
export function textPattern(pattern: string): (text: string) => boolean {
  if (!pattern.includes('*')) return (text) => text === pattern
  const parts = pattern.split(/\*+/).map((part) => part.replace(special, '\\$&'))
  const whole = new RegExp(`^${parts.join('.*')}$`, 's')
  return (text) => whole.test(text)
}

/** The kind of a resource: `projection:loans`. A stream has none: its type has no colon, and a dot follows it. */
const kindOf = (resource: string): string => /^[a-z]+(?=:)/.exec(resource)?.[0] ?? ''

/**
 * Whether a resource matches a pattern: `order.*`, `order.eu-*`, `projection:*`. As in rules of access, `*` alone matches everything, and
 * `*.*` matches streams only.
 */
export function resourcePattern(pattern: string): (resource: string) => boolean {
  if (pattern === '*') return () => true
  const matches = textPattern(pattern)
  return (resource) => kindOf(resource) === kindOf(pattern) && matches(resource)
}
