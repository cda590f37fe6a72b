import {
  aggregateIdOf,
  aggregateTypeOf,
  checkNewStreamId,
  InvalidInputError,
  parseMetadata,
  type StreamId,
  streamIdOf,
} from '#domain'

import { EventIds } from './event-ids.ts'
import { type Draft, type DraftLine, type EventLine, LineProblem } from './imported-line.ts'
import type { Mapping } from './mapping.ts'
import { readBytes } from '../open-file.ts'
import { draftOfJson } from './read-json-lines.ts'
import { readLines } from './read-lines.ts'
import { readRows } from './read-rows.ts'
import { latestVersions, schemaVersionOf, type SchemaVersions } from './schema-versions.ts'

/** What an import reads, and how it names what it finds. */
export interface EventFile {
  readonly file: string
  /** Of a table; without one the file holds an event in JSON a line. */
  readonly mapping?: Mapping
  /** Whose keys the file's keys are. */
  readonly source: string
  /** Aggregate types to be called otherwise. */
  readonly renamed: ReadonlyMap<string, string>
  /** Stands before every id that a line has. */
  readonly idPrefix?: string
  /** Of the data of lines that name no version. */
  readonly schemaVersions?: SchemaVersions
  /** Goes with every event as its correlation id. */
  readonly importId?: string
}

/**
 * What the lines of a file say, in its order.
 * @param onBytes is told of how many more bytes have been read
 * @throws OperationError `invalid-request` where the file cannot be read, or lacks a column.
 */
export async function* readDrafts(
  from: EventFile,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<DraftLine | LineProblem, void> {
  for await (const line of readParts(from, readBytes(from.file, onBytes))) {
    yield line instanceof LineProblem ? line : draftOf(line, from)
  }
}

/** The events of lines; the very same, ids included, each time the file is read. */
export async function* identified(
  lines: AsyncIterable<DraftLine | LineProblem>,
  source: string,
): AsyncGenerator<EventLine | LineProblem, void> {
  const ids = new EventIds(source)
  for await (const draft of lines) yield draft instanceof LineProblem ? draft : eventOf(draft, ids)
}

function eventOf(draft: DraftLine, ids: EventIds): EventLine {
  const { line, streamId, type, data, metadata } = draft
  const event = { id: ids.idOf(draft), type, data, ...(metadata !== undefined && { metadata }) }
  return { line, streamId, event }
}

/** A line that is split, but not understood yet. */
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
    const schemaVersion = schemaVersionOf(draft, schemaVersions)
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

/** What can be taken back is found again by its correlation id, so there is no room for another. */
function marked({ metadata }: Draft, importId: string) {
  if (metadata?.correlationId === undefined) return { ...metadata, correlationId: importId }
  throw new InvalidInputError(
    'metadata.correlationId',
    'the event has a correlation id of its own: import it without --import-id',
  )
}
