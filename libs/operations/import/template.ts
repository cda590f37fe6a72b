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
  return {
    columns,
    render: (valueOf) => parts.map((part, index) => (index % 2 === 1 ? valueOf(part) : part)).join(''),
    match(rendered) {
      const values = valuesIn(
        parts.filter((_, index) => index % 2 === 0),
        rendered,
      )
      return values && new Map(columns.map((column, index) => [column, values[index] ?? '']))
    },
  }
}

/**
 * What stands between the texts, in their order: each value as short as it can be, none of them empty. The first place of each text
 * leaves most to those behind it, so no other place needs a try.
 */
function valuesIn(
  [first = '', ...others]: readonly string[],
  rendered: string,
): readonly string[] | undefined {
  if (!rendered.startsWith(first)) return undefined
  const last = others.pop()
  if (last === undefined) return rendered === first ? [] : undefined
  const values: string[] = []
  let start = first.length
  for (const text of others) {
    const end = rendered.indexOf(text, start + 1)
    if (end < 0) return undefined
    values.push(rendered.slice(start, end))
    start = end + text.length
  }
  const end = rendered.length - last.length
  if (end <= start || !rendered.endsWith(last)) return undefined
  return [...values, rendered.slice(start, end)]
}
