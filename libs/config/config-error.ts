/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** The environment variable. */
  readonly key: string
  /** As it was given; absent where it must not be shown. */
  readonly value?: string
  /** What is wrong, and what is expected. */
  readonly problem: string
}

const line = ({ key, value, problem }: ConfigProblem): string =>
  `  ${value === undefined ? key : `${key}=${value}`}: ${problem}`

/** The configuration cannot be used. The message lists all of its problems, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'invalid-config'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const heading = problems.length === 1 ? 'One setting is' : `${problems.length} settings are`
    super([`${heading} wrong (docs/configuration.md lists all):`, ...problems.map(line)].join('\n'))
    this.problems = problems
  }
}

/** Text without the user and password of the URLs in it. */
export const withoutCredentials = (text: string): string => text.replaceAll(/(:\/\/)[^/\s,]*@/g, '$1***@')
