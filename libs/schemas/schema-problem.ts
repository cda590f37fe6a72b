/** One thing that is wrong, and what to do. */
export interface SchemaProblem {
  readonly file: string
  /** Of the field, where one is at fault. */
  readonly path?: string
  readonly message: string
  readonly remedy: string
}

/** One problem in one line: file, field, what is wrong, what to do. */
export const formatProblem = ({ file, path, message, remedy }: SchemaProblem): string =>
  `${file}${path === undefined || path === '' ? '' : `, field ${path}`}: ${message}. ${remedy}.`
