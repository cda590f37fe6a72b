/** A text with columns in braces: `customer.{customer_id}`. */
export interface Template {
  /** The columns, in order. */
  readonly columns: readonly string[]
  /** @param valueOf returns the value of a column */
  render(valueOf: (column: string) => string): string
  /** The values of the columns that render to this text; undefined if there are none. */
  match(text: string): ReadonlyMap<string, string> | undefined
}

const placeholder = /\{([^{}]+)\}/

export function templateOf(text: string): Template {
  // Texts and columns alternate, because split keeps the captured groups.
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
 * The values between the texts, in order, each as short as possible and none empty. The first match of each text leaves the longest rest
 * for the later ones, so no other match has to be tried.
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
