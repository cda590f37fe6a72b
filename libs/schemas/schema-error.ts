import { didYouMean, quote } from '#domain'

export type SchemaErrorCode =
  | 'malformed-schema'
  | 'unknown-schema'
  | 'not-registered'
  | 'undecodable'
  | 'superseded'
  | 'registry-unreachable'
  | 'registry-refused'
  | 'incompatible'
  | 'cache-unusable'

/** Details of a schema error in addition to its message. */
interface SchemaErrorDetails {
  /** The faulty schema file. */
  readonly file?: string
  /** The word in the schema file that the error is about. */
  readonly word?: string
  /** The registry's id of the faulty schema. */
  readonly schemaId?: number
  /** HTTP status of the registry's response. */
  readonly status?: number
}

/**
 * A problem with a schema, its registration or bytes encoded with it. `code` identifies it, the message says what to
 * do.
 */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
  readonly code: SchemaErrorCode
  readonly details: SchemaErrorDetails

  constructor(
    code: SchemaErrorCode,
    message: string,
    details: SchemaErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.code = code
    this.details = details
  }
}

/** There is no schema for this event type, so no such event. */
export class UnknownEventTypeError extends Error {
  override readonly name = 'UnknownEventTypeError'
  readonly code = 'unknown-event-type'
  readonly eventType: string

  constructor(aggregateType: string, eventType: string, known: readonly string[]) {
    const names = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`
    super(
      `aggregate type ${aggregateType} has no event type ${quote(eventType)}: ${names}. A new one begins with a schema ${aggregateType}/<EventName>.v1.avsc.${didYouMean(eventType, known)}`,
    )
    this.eventType = eventType
  }
}

/** The message of any thrown value. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
