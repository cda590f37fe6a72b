import {
  aggregateIdOf,
  aggregateTypeOf,
  checkNewStreamId,
  InvalidInputError,
  parseMetadata,
  type StreamId,
  streamIdOf,
} from '#domain'

import { LineEventIds } from './event-ids.ts'
import { type Draft, type DraftLine, type EventLine, LineProblem } from './imported-line.ts'
import type { ImportMapping } from './mapping.ts'
import { readBytes } from '../open-file.ts'
import { draftOfJson } from './read-json-lines.ts'
import { readLines } from './read-lines.ts'
import { readRows } from './read-rows.ts'
import { latestVersions, lineSchemaVersion, type SchemaVersions } from './schema-versions.ts'

/** The file of an import, and how its lines are turned into events. */
export interface EventFile {
  readonly file: string
  /** The mapping of a table; absent: each line is an event in JSON. */
  readonly mapping?: ImportMapping
  /** The scope in which the keys of lines are unique. */
  readonly source: string
  /** New names of aggregate types. */
  readonly renamed: ReadonlyMap<string, string>
  /** Prefix for the id of every line. */
  readonly idPrefix?: string
  /** The schema versions of lines without one. */
  readonly schemaVersions?: SchemaVersions
  /** The correlation id of every event. */
  readonly importId?: string
}

/**
 * The lines of a file, in order.
 * @param onBytes receives the size of each chunk that was read
 * @throws OperationError `invalid-request` if the file cannot be read, or lacks a column.
 */
export async function* readDrafts(
  from: EventFile,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<DraftLine | LineProblem, void> {
  for await (const line of readParts(from, readBytes(from.file, onBytes))) {
    yield line instanceof LineProblem ? line : draftOf(line, from)
  }
}

/** The events of lines: the same events with the same ids each time the file is read. */
export async function* identified(
  lines: AsyncIterable<DraftLine | LineProblem>,
  source: string,
): AsyncGenerator<EventLine | LineProblem, void> {
  const ids = new LineEventIds(source)
  for await (const draft of lines) yield draft instanceof LineProblem ? draft : eventOf(draft, ids)
}

function eventOf(draft: DraftLine, ids: LineEventIds): EventLine {
  const { line, streamId, type, data, metadata } = draft
  const event = { id: ids.idOf(draft), type, data, ...(metadata !== undefined && { metadata }) }
  return { line, streamId, event }
}

/** A line that is split, but not parsed yet. */
interface LineParts {
  readonly line: number
  /** @throws InvalidInputError */
  readonly read: () => Draft
}

async function* readParts(
  { file, mapping }: EventFile,
  bytes: AsyncIterable<Buffer>,
): AsyncGenerator<LineParts | LineProblem, void> {
  if (mapping === undefined) {
    for await (const line of readLines(bytes, 'utf-8')) {
      if (line instanceof LineProblem) yield line
      else if (line.text.trim() !== '') yield { line: line.line, read: () => draftOfJson(line.text) }
    }
    return
  }
  for await (const row of readRows(bytes, file, mapping)) {
    yield row instanceof LineProblem ? row : { line: row.line, read: () => mapping.draftOf(row.row) }
  }
}

function draftOf({ line, read }: LineParts, from: EventFile): DraftLine | LineProblem {
  const { renamed, importId, idPrefix = '', schemaVersions = latestVersions } = from
  try {
    const draft = read()
    const schemaVersion = lineSchemaVersion(draft, schemaVersions)
    const streamId = renamedStream(draft.streamId, renamed)
    checkNewStreamId(streamId)
    const metadata = importId === undefined ? draft.metadata : marked(draft, importId)
    return {
      ...{ ...draft, line, streamId },
      ...(draft.key !== undefined && { key: idPrefix + draft.key }),
      ...(schemaVersion !== undefined && { schemaVersion }),
      ...(metadata !== undefined && { metadata: parseMetadata(metadata) }),
    }
  } catch (error) {
    if (error instanceof InvalidInputError) return new LineProblem(line, error.message, { path: error.path })
    throw error
  }
}

function renamedStream(streamId: StreamId, renamed: ReadonlyMap<string, string>): StreamId {
  const name = renamed.get(aggregateTypeOf(streamId))
  return name === undefined ? streamId : streamIdOf(name, aggregateIdOf(streamId))
}

/** Sets the import id as correlation id, by which a rollback finds the events. A line must not have another correlation id. */
function marked({ metadata }: Draft, importId: string) {
  if (metadata?.correlationId === undefined) return { ...metadata, correlationId: importId }
  throw new InvalidInputError(
    'metadata.correlationId',
    'the event already has a correlation id: import it without --import-id',
  )
}
