import { aggregateTypeOf, InvalidInputError } from '#domain'
import { EventStoreError } from '#event-store'
import { type EventCheck, UnknownEventTypeError } from '#schemas'

import { OperationError } from '../operation-error.ts'
import { derivedIdsMax } from './event-ids.ts'
import { type DraftLine, LineProblem } from './imported-line.ts'

/** The content of a file in numbers. */
export interface FileContents {
  readonly events: number
  readonly streams: number
  /** Events without an id: their content identifies them. */
  readonly withoutId: number
  /** Number of the last line that was checked. */
  readonly lines: number
}

interface EventCheckOptions {
  readonly onProblem: (problem: LineProblem) => void
  readonly signal: AbortSignal
}

/** Checks every line, and appends nothing. @throws OperationError `invalid-request` if too many lines have no id */
export async function checkEvents(
  lines: AsyncIterable<DraftLine | LineProblem>,
  { onProblem, signal }: EventCheckOptions,
): Promise<FileContents> {
  const streams = new Set<string>()
  let [events, last, keyless] = [0, 0, 0]
  for await (const line of lines) {
    if (signal.aborted) break
    last = line.line
    if (line instanceof LineProblem) {
      onProblem(line)
      continue
    }
    events += 1
    streams.add(line.streamId)
    if (line.key === undefined) checkKeyless(++keyless)
  }
  return { events, streams: streams.size, withoutId: keyless, lines: last }
}

function checkKeyless(count: number): void {
  if (count <= derivedIdsMax) return
  throw new OperationError(
    'invalid-request',
    `more than ${derivedIdsMax} events without an id: give each one (\`id\` in the mapping or in the line), or import the file in parts`,
  )
}

/**
 * Upcasts the data of lines to the latest schema version. Lines that do not fit their schema become problems.
 * @param check absent: only the shape of lines is checked
 * @param areSound true if all lines have passed before: lines whose data and id need no schema are not checked again
 */
export async function* withSchemas(
  lines: AsyncIterable<DraftLine | LineProblem>,
  check: EventCheck | undefined,
  areSound = false,
): AsyncGenerator<DraftLine | LineProblem, void> {
  for await (const line of lines) {
    if (line instanceof LineProblem) yield line
    else if (areSound && line.key !== undefined && line.schemaVersion === undefined) yield line
    else yield check === undefined ? unchecked(line) : checked(line, check)
  }
}

function unchecked(line: DraftLine): DraftLine | LineProblem {
  if (line.schemaVersion === undefined) return line
  const why = 'a schema version needs the schemas: set ANNALS_SCHEMAS, and omit --no-schemas'
  return new LineProblem(line.line, why, { path: 'schemaVersion', streamId: line.streamId })
}

function checked(draft: DraftLine, check: EventCheck): DraftLine | LineProblem {
  const { line, streamId, type, schemaVersion, key } = draft
  try {
    const sound = check(aggregateTypeOf(streamId), type, draft.data, schemaVersion)
    return { ...draft, data: sound.data, ...(key === undefined && { content: sound.canonical() }) }
  } catch (error) {
    if (error instanceof InvalidInputError) {
      return new LineProblem(line, error.message, { path: error.path, streamId })
    }
    if (error instanceof UnknownEventTypeError || isUnknownType(error)) {
      return new LineProblem(line, error.message, { path: 'type', streamId })
    }
    throw error
  }
}

const isUnknownType = (error: unknown): error is EventStoreError =>
  error instanceof EventStoreError && error.code === 'unknown-event-type'
