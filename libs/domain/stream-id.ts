import { InvalidInputError, quote } from './invalid-input.ts'

declare const brand: unique symbol

/** `{aggregateType}.{aggregateId}`, e.g. `order.order-42`. The type ends at the first dot; the id may contain more dots. */
export type StreamId = string & { readonly [brand]: 'StreamId' }

/** Kafka limits topic names to 249 characters, including prefixes such as `deadletters.`. */
const aggregateTypePattern = /^[a-z][a-z0-9-]{0,99}$/
const aggregateIdLengthMax = 200
/** No white space, no control characters, and no lone surrogates: UTF-8 encodes all lone surrogates as the same key. */
const aggregateIdPattern = /^[^\s\p{Cc}\p{Cs}]+$/u

/**
 * Parses a stream id.
 * @throws InvalidInputError when the text has no dot, or either part is malformed.
 */
export function parseStreamId(text: string): StreamId {
  const dot = text.indexOf('.')
  if (dot < 0) {
    throw new InvalidInputError(
      'streamId',
      `stream id ${quote(text)} has no dot: expected {aggregateType}.{aggregateId}, e.g. order.order-42`,
    )
  }
  checkParts(text.slice(0, dot), text.slice(dot + 1))
  // The text itself: a concatenation of its parts would have to be flattened wherever it is a key.
  return text as StreamId
}

/**
 * Builds the stream id of an aggregate.
 * @param type aggregate type: lower-case letters, digits and hyphens, starting with a letter, at most 100.
 * @param id aggregate id: 1 to 200 characters, no white space, no control characters.
 * @throws InvalidInputError when either part is malformed.
 */
export function streamIdOf(type: string, id: string): StreamId {
  checkParts(type, id)
  return `${type}.${id}` as StreamId
}

function checkParts(type: string, id: string): void {
  parseAggregateType(type)
  if (id.length > aggregateIdLengthMax || !aggregateIdPattern.test(id)) {
    throw new InvalidInputError(
      'streamId',
      `aggregate id ${quote(id)} is malformed: expected 1 to ${aggregateIdLengthMax} characters without white space or control characters`,
    )
  }
}

/** Invisible characters and bidirectional controls. Ids with them can look the same as other ids. */
const invisible = /[\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/u

/**
 * Checks that a new stream may have this id. Existing streams are not checked: they can be read and appended to with any id.
 * @throws InvalidInputError for bidirectional controls and invisible characters (zero-width characters, joiners, variation
 * selectors …), and for text that is not in Unicode normal form NFC.
 */
export function checkNewStreamId(streamId: StreamId): void {
  if (/^[\x21-\x7e]*$/.test(streamId)) return
  const id = aggregateIdOf(streamId)
  if (invisible.test(id)) {
    throw new InvalidInputError(
      'streamId',
      `aggregate id ${quote(id)} contains invisible or bidirectional characters: expected an id without them`,
    )
  }
  if (id.normalize('NFC') === id) return
  throw new InvalidInputError(
    'streamId',
    `aggregate id ${quote(id)} is not in Unicode normal form NFC, so another id can look the same: expected id.normalize('NFC')`,
  )
}

/** Checks an aggregate type and returns it. @throws InvalidInputError when it is malformed. */
export function parseAggregateType(type: string): string {
  if (aggregateTypePattern.test(type)) return type
  throw new InvalidInputError(
    'streamId',
    `aggregate type ${quote(type)} is malformed: expected lower-case letters, digits and hyphens, starting with a letter, at most 100`,
  )
}

/** The part before the first dot. */
export const aggregateTypeOf = (streamId: StreamId): string => streamId.slice(0, streamId.indexOf('.'))

/** The part after the first dot. */
export const aggregateIdOf = (streamId: StreamId): string => streamId.slice(streamId.indexOf('.') + 1)
