import { differences } from './differences.ts'

/** A failed check of a scenario. Test runners print `expected` and `actual` of an AssertionError as a diff. */
export class ScenarioError extends Error {
  override readonly name = 'AssertionError'
  readonly expected: unknown
  readonly actual: unknown
  readonly showDiff = true

  constructor(message: string, expected: unknown, actual: unknown, options?: ErrorOptions) {
    super(message, options)
    this.expected = expected
    this.actual = actual
  }
}

/** @throws ScenarioError that lists the differences, at most ten. */
export function expectEqual(what: string, expected: unknown, actual: unknown): void {
  const found = differences(expected, actual)
  if (found.length === 0) return
  const shown = found.slice(0, 10).map((line) => `  ${line}`)
  const more = found.length > shown.length ? [`  … and ${found.length - shown.length} more`] : []
  throw new ScenarioError([`${what}:`, ...shown, ...more].join('\n'), expected, actual)
}
