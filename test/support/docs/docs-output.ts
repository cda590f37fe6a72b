/** Patterns of values that vary from run to run, and their placeholders. */
const varying: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<id>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>'],
  [/\b(eventstore\.[\w-]+:\d+):\d+/g, '$1:<offset>'],
  [/\b\d+(\.\d+)? ?m?s\b/g, '<duration>'],
  [/\bpid \d+/g, '<pid>'],
]

/**
 * Whether printed output matches what a page shows. Ids, times, offsets and durations may differ. `…` matches any text within a
 * line; on a line of its own it matches any number of lines.
 */
export function matchesOutput(shown: string, printed: string): boolean {
  const pattern = comparable(shown)
    .map((line) => (line === '…' ? '(?:.*\n)*?' : `${inLine(line)}\n`))
    .join('')
  return new RegExp(`^${pattern}$`).test(`${comparable(printed).join('\n')}\n`)
}

const inLine = (line: string): string => line.split('…').map(literally).join('.*')

const literally = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')

function comparable(text: string): string[] {
  const plain = text.replaceAll(/\u001b\[[\d;]*m/g, '').trimEnd()
  const same = varying.reduce((result, [pattern, name]) => result.replaceAll(pattern, name), plain)
  return same.split('\n').map((line) => line.trimEnd())
}
