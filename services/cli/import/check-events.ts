import { aggregateTypeOf, InvalidInputError } from '#domain'
import { EventStoreError } from '#event-store'
import { type EventCheck, UnknownEventTypeError } from '#schemas'

import { UsageError } from '../failure.ts'
import { derivedIdsMax } from './event-ids.ts'
import { type DraftLine, LineProblem } from './imported-line.ts'

/** How much a file holds. */
export interface FileContents {
  readonly events: number
  readonly streams: number
  /** Of the last line that was looked at. */
  readonly lines: number
}

export interface CheckOptions {
  readonly onProblem: (problem: LineProblem) => void
  readonly signal: AbortSignal
}

/** Looks at every line, and appends nothing. @throws UsageError where more lines need ids than ids can be made */
export async function checkEvents(
  lines: AsyncIterable<DraftLine | LineProblem>,
  { onProblem, signal }: CheckOptions,
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
  return { events, streams: streams.size, lines: last }
}

function checkKeyless(count: number): void {
  if (count <= derivedIdsMax) return
  throw new UsageError(
    `more than ${derivedIdsMax} events without an id: give each one (\`id\` in the mapping or in the line), or import the file in parts`,
  )
}

/** The same lines; of those that do not fit their schemas, why. @param check absent: only the lines' shape counts */
export async function* withSchemas(
  lines: AsyncIterable<DraftLine | LineProblem>,
  check: EventCheck | undefined,
): AsyncGenerator<DraftLine | LineProblem, void> {
  for await (const line of lines) {
    yield (line instanceof LineProblem ? undefined : misfit(line, check)) ?? line
  }
}

function misfit(
  { line, streamId, type, data }: DraftLine,
  check: EventCheck | undefined,
): LineProblem | undefined {
  try {
    check?.(aggregateTypeOf(streamId), type, data)
    return undefined
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
