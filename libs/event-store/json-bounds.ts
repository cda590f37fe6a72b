/** Maximum nesting depth of the JSON of a request. Code that folds, checks or prints data is recursive. */
export const jsonDepthMax = 100

/** Maximum number of values, names and containers in the JSON of a request. Small ones take few bytes but much time. */
export const jsonPartsMax = 500_000

/** The bound that a JSON text exceeds. */
export type JsonExcess = 'too-deep' | 'too-many-parts'

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c

/**
 * Checks the bounds of JSON before it is parsed. V8 takes seconds to parse megabytes of brackets, and code that walks the result
 * overflows the stack. Time is linear in the length of the text, memory constant. Invalid JSON is left to the parser.
 * @returns undefined when the text is within both bounds
 */
export function jsonExcess(text: string): JsonExcess | undefined {
  let depth = 0
  let parts = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = endOfString(text, at)
    } else if (code === comma || code === colon) {
      parts++
    } else if ((code | 0x20) === 0x7b) {
      parts++
      if (++depth > jsonDepthMax) return 'too-deep'
    } else if ((code | 0x20) === 0x7d) {
      depth--
    }
    if (parts > jsonPartsMax) return 'too-many-parts'
  }
  return undefined
}

/** The index where a string ends, or the end of the text. A quotation mark after an odd number of backslashes is escaped. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end
    while (text.charCodeAt(first - 1) === backslash) first--
    if ((end - first) % 2 === 0) return end
  }
  return text.length
}
