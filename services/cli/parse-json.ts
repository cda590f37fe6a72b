import { jsonDepthMax, jsonExcess, jsonPartsMax } from '#event-store'

const excesses = {
  'too-deep': `is nested deeper than ${jsonDepthMax} levels`,
  'too-many-parts': `has more than ${jsonPartsMax} values and names`,
} as const

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

/** Parses JSON that a server would take. @throws Error that goes on with the name of the text: `is not JSON: …` */
export function parseJson(text: string): unknown {
  const excess = jsonExcess(text)
  if (excess !== undefined) throw new Error(excesses[excess])
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`is not JSON: ${(error as Error).message}`, { cause: error })
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
