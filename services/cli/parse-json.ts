import { parseJson } from '#event-store'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Decodes UTF-8. A byte order mark is removed; invalid bytes are rejected, not replaced.
 * @throws Error whose message continues a sentence that begins with the name of the text: `is not UTF-8: …`
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new Error('is not UTF-8: convert it first, e.g. with iconv -t utf-8', { cause })
  }
}

/**
 * Parses JSON from the command line.
 * @throws Error whose message continues a sentence that begins with the name of the text, for text that is not JSON or contains U+FFFD:
 * Node replaces bytes that are not UTF-8 by that character before the program runs.
 */
export function parseArgument(text: string): unknown {
  if (!text.includes('\ufffd')) return parseJson(text)
  throw new Error(
    'contains U+FFFD, which replaces bytes that are not UTF-8: pass the text in UTF-8, or write \\ufffd if you mean that character',
  )
}
