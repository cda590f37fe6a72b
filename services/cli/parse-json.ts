import { parseJson } from '#event-store'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Text from bytes that others wrote. A byte order mark is taken away, and nothing is replaced.
 * @throws Error that goes on with the name of the text: `is not UTF-8: …`
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new Error('is not UTF-8: convert it first, e.g. with iconv -t utf-8', { cause })
  }
}

/**
 * Parses JSON that stands on the command line.
 * @throws Error that goes on with the name of the text, also where it holds U+FFFD: bytes that are not UTF-8 are replaced by it before any
 * program sees them
 */
export function parseArgument(text: string): unknown {
  if (!text.includes('\ufffd')) return parseJson(text)
  throw new Error(
    'holds U+FFFD, as where bytes that are not UTF-8 were replaced: give the text in UTF-8, or write \\ufffd where that character is meant',
  )
}
