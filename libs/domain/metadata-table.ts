/** A named metadata field. Its value is text; {@link parseMetadata} applies the same checks to all of them. */
export interface MetadataField {
  /** The record header that carries the field. */
  readonly header: string
  /** Description for the reference pages and the command line. */
  readonly description: string
}

/**
 * All named metadata fields. HTTP schemas, record headers, CloudEvents output, import mappings, the command line and the metadata
 * type derive from this table. A new field is a new row.
 */
export const metadataTable = {
  /** Identifies everything that one request caused. */
  correlationId: { header: 'ce_correlationid', description: 'identifies everything that one request caused' },
  /** The event or command that caused this one. */
  causationId: { header: 'ce_causationid', description: 'the event or command that caused this one' },
  /** The user who caused the event. */
  userId: { header: 'ce_userid', description: 'the user who caused the event' },
  /** The user's session. */
  sessionId: { header: 'ce_sessionid', description: "the user's session" },
  /** CloudEvents `source`: a URI reference of the producing service. */
  source: {
    header: 'ce_source',
    description: 'CloudEvents source: a URI reference of the producing service',
  },
  /** W3C Trace Context `traceparent`. */
  traceparent: { header: 'traceparent', description: 'W3C Trace Context' },
} as const satisfies Readonly<Record<string, MetadataField>>

export type MetadataFieldName = keyof typeof metadataTable

/** The names of all fields in {@link metadataTable}. */
export const metadataFields = Object.keys(metadataTable) as readonly MetadataFieldName[]

/** The record header that carries the caller's own keys as one JSON object. */
export const ownMetadataHeader = 'ce_annalsmetadata'
