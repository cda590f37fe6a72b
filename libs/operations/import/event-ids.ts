import { deriveEventId, type EventId, parseEventId } from '#domain'

import type { DraftLine } from './imported-line.ts'

/** The maximum of events without a key. Each takes about 150 bytes of memory while the import runs. */
export const derivedIdsMax = 5_000_000

/** Incremented when the ids of lines change, which makes checkpoints of earlier schemes invalid. */
export const idScheme = 2

type EventParts = 'streamId' | 'type' | 'data' | 'key' | 'content'

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Gives every line the same id in every run, so that nothing is appended twice. A UUID is used unchanged. Any other key is turned into
 * a UUID, together with its source and stream. A line without a key is identified by source, stream, type, the canonical form of its
 * data, and the number of equal lines before it in the file. So lines can be added anywhere, and the file can be sorted or rewritten
 * with another key order: all other lines keep their ids.
 */
export class LineEventIds {
  readonly #source: string
  readonly #seen = new Map<EventId, number>()

  constructor(source: string) {
    this.#source = source
  }

  idOf({ streamId, type, data, key, content }: Pick<DraftLine, EventParts>): EventId {
    if (key !== undefined) {
      return uuidPattern.test(key)
        ? parseEventId(key)
        : deriveEventId(streamId, JSON.stringify([this.#source, key]), 0)
    }
    const name = JSON.stringify([this.#source, type, content ?? sortedJson(data)])
    const first = deriveEventId(streamId, name, 0)
    const before = this.#seen.get(first) ?? 0
    this.#seen.set(first, before + 1)
    return before === 0 ? first : deriveEventId(streamId, name, before)
  }
}

/** Without schemas only the order of keys is known to be irrelevant. */
const sortedJson = (data: unknown): string => JSON.stringify(data, withSortedKeys)

const withSortedKeys = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value
