import { isUtf8 } from 'node:buffer'

import type { StoredRecord } from '#kafka'

/** Bytes that are UTF-8 are stored as text, others in Base64. */
type Content = string | { readonly base64: string }

/** A record as one line of JSON. */
interface RecordLine {
  readonly offset: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly key: Content
  /** In Base64; null for a record without a value. */
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, content: Content])[]
}

const contentOf = (bytes: Buffer): Content =>
  isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') }

const bytesOf = (content: Content): Buffer =>
  typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.base64, 'base64')

/** The line of a record in a backup, with its newline. */
export function recordLine({ offset, timestampMs, key, value, headers }: StoredRecord): string {
  const line: RecordLine = {
    offset,
    timestamp: timestampMs,
    key: contentOf(key),
    value: value === null ? null : value.toString('base64'),
    headers: headers.map(([name, content]) => [name, contentOf(content)]),
  }
  return `${JSON.stringify(line)}\n`
}

/** Parses the line of a record. @throws SyntaxError, TypeError if it is not one. */
export function parseRecordLine(line: string): StoredRecord {
  const { offset, timestamp, key, value, headers } = JSON.parse(line) as RecordLine
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(timestamp)) throw new TypeError('not a record')
  return {
    offset,
    timestampMs: timestamp,
    key: bytesOf(key),
    value: value === null ? null : Buffer.from(value, 'base64'),
    headers: headers.map(([name, content]) => [name, bytesOf(content)] as const),
  }
}
