/**
 * A table with right-aligned columns, as wide as their cells.
 * @param last whether the last column is text, aligned to the left
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  last: 'number' | 'text' = 'number',
): string {
  const lines = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)))
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => {
          const isText = last === 'text' && column === header.length - 1
          return isText ? cell : cell.padStart(widths[column] ?? 0)
        })
        .join('  '),
    )
    .join('\n')
}
