import { InvalidInputError, type StreamId, streamIdOf, aggregateIdOf, aggregateTypeOf } from '#domain'

import { EventIds } from './event-ids.ts'
import { type Draft, type EventLine, LineProblem } from './imported-line.ts'
import type { Mapping } from './mapping.ts'
import { readBytes } from './open-file.ts'
import { draftOfJson } from './read-json-lines.ts'
import { readLines } from './read-lines.ts'
import { readRows } from './read-rows.ts'

/** What an import reads, and how it names what it finds. */
export interface EventFile {
  readonly file: string
  /** Of a table; without one the file holds an event in JSON a line. */
  readonly mapping?: Mapping
  /** Whose keys the file's keys are. */
  readonly source: string
  /** Aggregate types to be called otherwise. */
  readonly renamed: ReadonlyMap<string, string>
  /** Goes with every event as its correlation id. */
  readonly importId?: string
}

/**
 * The events of a file in its order; the very same, ids included, each time it is read.
 * @param onBytes is told of how many more bytes have been read
 * @throws UsageError where the file cannot be read, or lacks a column.
 */
export async function* readEvents(
  from: EventFile,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<EventLine | LineProblem, void> {
  const ids = new EventIds(from.source)
  for await (const draft of readDrafts(from, readBytes(from.file, onBytes))) {
    yield draft instanceof LineProblem ? draft : eventOf(draft.line, () => complete(draft.read(), from, ids))
  }
}

interface LineDraft {
  readonly line: number
  /** @throws InvalidInputError */
  readonly read: () => Draft
}

async function* readDrafts(
  { file, mapping }: EventFile,
  bytes: AsyncIterable<Buffer>,
): AsyncGenerator<LineDraft | LineProblem, void> {
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

function eventOf(line: number, read: () => Omit<EventLine, 'line'>): EventLine | LineProblem {
  try {
    return { line, ...read() }
  } catch (error) {
    if (error instanceof InvalidInputError) return new LineProblem(line, error.message, { path: error.path })
    throw error
  }
}

function complete(draft: Draft, { renamed, importId }: EventFile, ids: EventIds): Omit<EventLine, 'line'> {
  const streamId = renamedStream(draft.streamId, renamed)
  const { type, data } = draft
  const metadata = importId === undefined ? draft.metadata : marked(draft, importId)
  const id = ids.idOf({ ...draft, streamId })
  return { streamId, event: { id, type, data, ...(metadata !== undefined && { metadata }) } }
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
