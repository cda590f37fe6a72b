/** One field of metadata that Annals names. Its value is text; {@link parseMetadata} checks all of them alike. */
export interface MetadataField {
  /** The record header that carries the field. */
  readonly header: string
  /** For the reference pages and the command line. */
  readonly description: string
}

/**
 * Every field of metadata that Annals names. HTTP schemas, record headers, CloudEvents output, the import's mapping, the command
 * line and the type of metadata derive from this table: a new field is a new row.
 */
export const metadataTable = {
  /** Groups everything that one request set off. */
  correlationId: { header: 'ce_correlationid', description: 'groups everything that one request set off' },
  /** The event or command that led to this one. */
  causationId: { header: 'ce_causationid', description: 'the event or command that led to this one' },
  /** Who caused the event. */
  userId: { header: 'ce_userid', description: 'who caused the event' },
  /** In which session. */
  sessionId: { header: 'ce_sessionid', description: 'in which session' },
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

/** The record header that carries all own keys of a caller, as one JSON object. */
export const ownMetadataHeader = 'ce_annalsmetadata'
