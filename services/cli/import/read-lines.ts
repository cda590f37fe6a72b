import { LineProblem } from './imported-line.ts'

export interface Line {
  /** From 1. */
  readonly line: number
  /** Without its end. */
  readonly text: string
}

/** As much as a service takes in one request. */
const lineBytesMax = 8 * 1024 * 1024
const newline = 0x0a

/**
 * The lines of a text file, whether they end by LF or CRLF. Not node:readline, which ends lines within JSON strings
 * (at U+2028) and takes broken characters for others.
 * A line longer than 8 MiB is the last.
 */
export async function* readLines(
  bytes: AsyncIterable<Buffer>,
  encoding: string,
): AsyncGenerator<Line | LineProblem, void> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  let line = 0
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of bytes) {
    const unread = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = unread.indexOf(newline); end >= 0; end = unread.indexOf(newline, start)) {
      yield decoded(decoder, encoding, ++line, unread.subarray(start, end))
      start = end + 1
    }
    rest = unread.subarray(start)
    if (rest.length > lineBytesMax) {
      yield new LineProblem(line + 1, `longer than ${lineBytesMax} bytes: the rest of the file is left out`)
      return
    }
  }
  if (rest.length > 0) yield decoded(decoder, encoding, ++line, rest)
}

function decoded(
  decoder: InstanceType<typeof TextDecoder>,
  encoding: string,
  line: number,
  bytes: Buffer,
): Line | LineProblem {
  try {
    return { line, text: decoder.decode(bytes).replace(/\r$/, '') }
  } catch {
    return new LineProblem(line, `not text in ${encoding}`)
  }
}
