/** How deep the arrays and objects of a request may be nested: what folds, checks or prints data does so by recursion. */
export const jsonDepthMax = 100

/** Values, names and containers that the JSON of one request may have: what a few bytes of them cost is time, not room. */
export const jsonPartsMax = 500_000

/** Why a text is not even parsed. */
export type JsonExcess = 'too-deep' | 'too-many-parts'

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c

/**
 * Looks at JSON before it is parsed: V8 takes seconds for some megabytes of brackets, and what it gives back overflows the stack of
 * whoever walks it. Time is linear in the text's length, memory constant; what is no JSON is the parser's to refuse.
 * @returns undefined where the text keeps both bounds
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

/** Where the string that begins at an index ends, or the text does. A quotation mark behind an odd number of backslashes is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end
    while (text.charCodeAt(first - 1) === backslash) first--
    if ((end - first) % 2 === 0) return end
  }
  return text.length
}
