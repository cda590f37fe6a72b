import { LineProblem } from './imported-line.ts'

export interface Line {
  /** From 1. */
  readonly line: number
  /** Without its newline. */
  readonly text: string
  /** The last line may have none. */
  readonly end: '\n' | '\r\n' | ''
}

/** The maximum size of a request to a service. */
const lineBytesMax = 8 * 1024 * 1024
const newline = 0x0a
const byteOrderMark = '\ufeff'

/**
 * The lines of a text file, which end with LF or CRLF. node:readline is not used: it ends lines within JSON strings (at U+2028) and
 * replaces invalid characters. Reading stops at a line longer than 8 MiB.
 */
export async function* readLines(
  bytes: AsyncIterable<Buffer>,
  encoding: string,
): AsyncGenerator<Line | LineProblem, void> {
  const decoder = new LineDecoder(encoding)
  let line = 0
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of decoder.inAscii(bytes)) {
    const unread = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = unread.indexOf(newline); end >= 0; end = unread.indexOf(newline, start)) {
      yield decoder.decode(++line, unread.subarray(start, end), true)
      start = end + 1
    }
    rest = unread.subarray(start)
    if (rest.length > lineBytesMax) {
      yield new LineProblem(line + 1, `longer than ${lineBytesMax} bytes: the rest of the file is not read`)
      return
    }
  }
  if (rest.length > 0) yield decoder.decode(++line, rest, false)
}

class LineDecoder {
  readonly #encoding: string
  /** UTF-16 is converted to UTF-8, because a newline byte can be half of another character. */
  readonly #isWide: boolean
  readonly #decoder: InstanceType<typeof TextDecoder>

  constructor(encoding: string) {
    this.#isWide = new TextDecoder(encoding).encoding.startsWith('utf-16')
    this.#encoding = encoding
    this.#decoder = this.#newDecoder()
  }

  /** A byte order mark is removed only at the start of the file. */
  #newDecoder() {
    return new TextDecoder(this.#isWide ? 'utf-8' : this.#encoding, { fatal: true, ignoreBOM: true })
  }

  /** The bytes in an encoding with the newline of ASCII. Invalid UTF-16 stays invalid. */
  async *inAscii(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
    if (!this.#isWide) {
      yield* bytes
      return
    }
    const decoder = new TextDecoder(this.#encoding, { fatal: true })
    try {
      for await (const chunk of bytes) yield Buffer.from(decoder.decode(chunk, { stream: true }))
      decoder.decode()
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      yield brokenBytes
    }
  }

  decode(line: number, bytes: Buffer, isEnded: boolean): Line | LineProblem {
    const decoded = textOf(this.#decoder, bytes)
    if (decoded === undefined) return new LineProblem(line, this.#whyNone(bytes, isEnded))
    const isMarked = line === 1 && decoded.startsWith(byteOrderMark)
    const text = isMarked ? decoded.slice(1) : decoded
    if (isEnded && text.endsWith('\r')) return { line, text: text.slice(0, -1), end: '\r\n' }
    return { line, text, end: isEnded ? '\n' : '' }
  }

  #whyNone(bytes: Buffer, isEnded: boolean): string {
    const isCut = !isEnded && textOf(this.#newDecoder(), bytes, true) !== undefined
    const why = isCut ? ': the file ends inside a character, so it is truncated' : ''
    return `not text in ${this.#encoding}${why}`
  }
}

function textOf(
  decoder: InstanceType<typeof TextDecoder>,
  bytes: Buffer,
  stream = false,
): string | undefined {
  try {
    return decoder.decode(bytes, { stream })
  } catch {
    return undefined
  }
}

/** A sequence that is invalid UTF-8 in any context. */
const brokenBytes = Buffer.from([0xff])
