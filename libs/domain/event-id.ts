import { parse, v5, v7, validate } from 'uuid'

import { InvalidInputError, quote } from './invalid-input.ts'

declare const brand: unique symbol

/** A UUID in lower case. Annals generates version 7 (ordered by time); callers may pass any version. */
export type EventId = string & { readonly [brand]: 'EventId' }

/** Getting random bytes from the system is the most expensive part of an id, so bytes for 256 ids are fetched at once. */
const randomPool = new Uint8Array(16 * 256)
let randomAt = randomPool.length

function randomBytes(): Uint8Array {
  if (randomAt === randomPool.length) {
    crypto.getRandomValues(randomPool)
    randomAt = 0
  }
  return randomPool.subarray(randomAt, (randomAt += 16))
}

/** Time and sequence of the last id. Within a millisecond the sequence counts up from a random start. */
const last = { msecs: -Infinity, seq: 0 }

/** Generates an id: UUIDv7, RFC 9562 §5.7. Each id is greater than the one before (§6.2, method 1). */
export function newEventId(): EventId {
  const random = randomBytes()
  const now = Date.now()
  if (now > last.msecs) {
    last.msecs = now
    // 31 of 32 bits, which leaves room to count up.
    last.seq = new DataView(random.buffer, random.byteOffset).getUint32(0) >>> 1
  } else {
    last.seq++
  }
  return v7({ random, ...last }) as EventId
}

/** Parses an event id and converts it to lower case. @throws InvalidInputError unless the text is a UUID. */
export function parseEventId(text: string, path = 'id'): EventId {
  if (validate(text)) return text.toLowerCase() as EventId
  throw new InvalidInputError(path, `${path} ${quote(text)} is not an event id: expected a UUID`)
}

/** The namespace of ids derived from idempotency keys. It must never change, or retries are not recognised. */
const idempotencyNamespace = parse('3c6a6f0e-7b0b-5f0c-9a53-2d1f3b9a4f61')

// The uuid package takes three times as long to encode text.
const utf8 = new TextEncoder()

/**
 * Derives the id of the event at `index` of an append from the append's idempotency key: UUIDv5, RFC 9562 §5.5.
 * The stream id is part of the input, so the same key gives different ids in different streams.
 */
export const deriveEventId = (streamId: string, key: string, index: number): EventId =>
  v5(utf8.encode(JSON.stringify([streamId, key, index])), idempotencyNamespace) as EventId

/** The length of an event id in bytes. */
export const eventIdBytes = 16

/** The value of each character code; 16 for a dash, which is skipped. */
const hexValues = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(value) ? eventIdBytes : value
})

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Writes an id as its 16 bytes. */
export function writeEventId(target: Uint8Array, at: number, id: EventId): void {
  let next = at
  for (let index = 0; index < id.length; index += 2) {
    const high = hexValues[id.charCodeAt(index)] ?? 0
    if (high === eventIdBytes) index -= 1
    else target[next++] = high * 16 + (hexValues[id.charCodeAt(index + 1)] ?? 0)
  }
}

/** Reads an id from its 16 bytes. */
export function readEventId(source: Uint8Array, at: number): EventId {
  let text = ''
  for (let index = at; index < at + eventIdBytes; index++) {
    const place = index - at
    if (place >= 4 && place <= 10 && place % 2 === 0) text += '-'
    text += hexPairs[source[index] ?? 0] ?? ''
  }
  return text as EventId
}
