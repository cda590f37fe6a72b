/** One problem and its remedy. */
export interface SchemaProblem {
  readonly file: string
  /** The path of the faulty field, if there is one. */
  readonly path?: string
  readonly message: string
  readonly remedy: string
}

/** The problem on one line: file, field, what is wrong, what to do. */
export const formatProblem = ({ file, path, message, remedy }: SchemaProblem): string =>
  `${file}${path === undefined || path === '' ? '' : `, field ${path}`}: ${message}. ${remedy}.`
