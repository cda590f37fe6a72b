/** One problem in the configuration. */
export interface ConfigProblem {
  /** The environment variable. */
  readonly key: string
  /** The value as given; absent where it must stay secret. */
  readonly value?: string
  /** What is wrong, and what is expected. */
  readonly problem: string
}

const line = ({ key, value, problem }: ConfigProblem): string =>
  `  ${value === undefined ? key : `${key}=${value}`}: ${problem}`

/** The configuration is invalid. The message lists all problems, one per line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'invalid-config'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const heading = problems.length === 1 ? 'One setting is' : `${problems.length} settings are`
    super(
      [`${heading} invalid (docs/configuration.md lists all settings):`, ...problems.map(line)].join('\n'),
    )
    this.problems = problems
  }
}

/** The text with the user and password of every URL in it replaced by `***`. */
export const withoutCredentials = (text: string): string => text.replaceAll(/(:\/\/)[^/\s,]*@/g, '$1***@')
