import { parse, v5, v7, validate } from 'uuid'

import { InvalidInputError, quote } from './invalid-input.ts'

declare const brand: unique symbol

/** A UUID in lower case. Annals makes version 7 (ordered by time); a caller's may be of any version. */
export type EventId = string & { readonly [brand]: 'EventId' }

/** Asking the system for random bytes costs more than all the rest of an id: one question for 256 of them. */
const randomPool = new Uint8Array(16 * 256)
let randomAt = randomPool.length

function randomBytes(): Uint8Array {
  if (randomAt === randomPool.length) {
    crypto.getRandomValues(randomPool)
    randomAt = 0
  }
  return randomPool.subarray(randomAt, (randomAt += 16))
}

/** Of the last id: within a millisecond the sequence counts up from where chance began it. */
const last = { msecs: -Infinity, seq: 0 }

/** A fresh id: UUIDv7, RFC 9562 §5.7, each one greater than the one before (§6.2, method 1). */
export function newEventId(): EventId {
  const random = randomBytes()
  const now = Date.now()
  if (now > last.msecs) {
    last.msecs = now
    // 31 bits of 32, so that there is room to count.
    last.seq = new DataView(random.buffer, random.byteOffset).getUint32(0) >>> 1
  } else {
    last.seq++
  }
  return v7({ random, ...last }) as EventId
}

/** @throws InvalidInputError unless the text is a UUID. */
export function parseEventId(text: string, path = 'id'): EventId {
  if (validate(text)) return text.toLowerCase() as EventId
  throw new InvalidInputError(path, `${path} ${quote(text)} is not an event id: expected a UUID`)
}

/** The namespace of ids derived from idempotency keys; fixed for good, or a retry would not be recognised. */
const idempotencyNamespace = parse('3c6a6f0e-7b0b-5f0c-9a53-2d1f3b9a4f61')

// Given text, uuid turns it to bytes itself, in three times the time.
const utf8 = new TextEncoder()

/**
 * The id of the event at `index` of an append that carries an idempotency key: UUIDv5, RFC 9562 §5.5.
 * The stream id takes part, so that the same key used for two streams gives different ids.
 */
export const deriveEventId = (streamId: string, key: string, index: number): EventId =>
  v5(utf8.encode(JSON.stringify([streamId, key, index])), idempotencyNamespace) as EventId
