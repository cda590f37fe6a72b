import { literalPattern } from './literal-pattern.ts'

/** A text with columns in it: `customer.{customer_id}`. */
export interface Template {
  /** Columns in it, in order. */
  readonly columns: readonly string[]
  /** @param valueOf a column's value */
  render(valueOf: (column: string) => string): string
  /** The columns' values that would render to this text; undefined where none would. */
  match(text: string): ReadonlyMap<string, string> | undefined
}

const placeholder = /\{([^{}]+)\}/

export function templateOf(text: string): Template {
  // Texts and columns in turn, as split keeps what the pattern captured.
  const parts = text.split(placeholder)
  const columns = parts.filter((_, index) => index % 2 === 1)
  const pattern = new RegExp(
    `^${parts.map((part, index) => (index % 2 === 1 ? '(.+?)' : literalPattern(part))).join('')}$`,
    's',
  )
  return {
    columns,
    render: (valueOf) => parts.map((part, index) => (index % 2 === 1 ? valueOf(part) : part)).join(''),
    match(rendered) {
      const values = pattern.exec(rendered)?.slice(1)
      return values && new Map(columns.map((column, index) => [column, values[index] ?? '']))
    },
  }
}
