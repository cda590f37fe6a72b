/** The line, from 1, at which JSON becomes invalid. */
export function faultyLine(text: string): number {
  const lines = text.split('\n')
  const at = lines.findIndex((_, index) => !isWholeSoFar(lines.slice(0, index + 1).join('\n')))
  return at < 0 ? lines.length : at + 1
}

/** Whether the only fault of a text is that it ends too early. */
function isWholeSoFar(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    const { message } = error as Error
    const position = /at position (\d+)/.exec(message)?.[1]
    return /Unexpected end|Unterminated/.test(message) || Number(position) >= text.length
  }
}

/** In the JSON of a schema: the first line with a word in quotes, and the last name before it. */
export function placeOf(text: string, word: string): string {
  const lines = text.split('\n')
  const at = lines.findIndex((line) => line.includes(JSON.stringify(word)))
  if (at < 0) return ''
  const upTo = lines.slice(0, at + 1).join('\n')
  const before = upTo.slice(0, upTo.lastIndexOf(JSON.stringify(word)))
  const names = [...before.matchAll(/"name"\s*:\s*"([^"]*)"/g)]
  const name = names.at(-1)?.[1]
  return `line ${at + 1}${name === undefined ? '' : `, in ${name}`}`
}
