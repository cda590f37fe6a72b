import { deriveEventId, type EventId, parseEventId } from '#domain'

import type { Draft } from './imported-line.ts'

/** Events without a key that may come: about 150 bytes of each are remembered, as long as the import takes. */
export const derivedIdsMax = 5_000_000

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Gives every line the same id in every run, so that nothing is appended twice. A UUID is taken as it is; another key is made
 * one, by its source and stream. A line without a key is known by what it says: source, stream, type and data, and how many such
 * came before it in the file. So lines may be added anywhere, and the file may be sorted anew, and all others keep their ids.
 */
export class EventIds {
  readonly #source: string
  readonly #seen = new Map<EventId, number>()

  constructor(source: string) {
    this.#source = source
  }

  idOf({ streamId, type, data, key }: Draft): EventId {
    if (key !== undefined) {
      return uuidPattern.test(key)
        ? parseEventId(key)
        : deriveEventId(streamId, JSON.stringify([this.#source, key]), 0)
    }
    const content = JSON.stringify([this.#source, type, data])
    const first = deriveEventId(streamId, content, 0)
    const before = this.#seen.get(first) ?? 0
    this.#seen.set(first, before + 1)
    return before === 0 ? first : deriveEventId(streamId, content, before)
  }
}
