import { aggregateTypeOf, InvalidInputError } from '#domain'
import { type EventCheck, UnknownEventTypeError } from '#schemas'

import { type EventLine, LineProblem } from './imported-line.ts'

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

/** Looks at every line, and appends nothing. */
export async function checkEvents(
  lines: AsyncIterable<EventLine | LineProblem>,
  { onProblem, signal }: CheckOptions,
): Promise<FileContents> {
  const streams = new Set<string>()
  let [events, last] = [0, 0]
  for await (const line of lines) {
    if (signal.aborted) break
    last = line.line
    if (line instanceof LineProblem) {
      onProblem(line)
      continue
    }
    events += 1
    streams.add(line.streamId)
  }
  return { events, streams: streams.size, lines: last }
}

/** The same lines; of those that do not fit their schemas, why. @param check absent: only the lines' shape counts */
export async function* withSchemas(
  lines: AsyncIterable<EventLine | LineProblem>,
  check: EventCheck | undefined,
): AsyncGenerator<EventLine | LineProblem, void> {
  for await (const line of lines) {
    yield (line instanceof LineProblem ? undefined : misfit(line, check)) ?? line
  }
}

function misfit(
  { line, streamId, event }: EventLine,
  check: EventCheck | undefined,
): LineProblem | undefined {
  try {
    check?.(aggregateTypeOf(streamId), event.type, event.data)
    return undefined
  } catch (error) {
    if (error instanceof InvalidInputError) {
      return new LineProblem(line, error.message, { path: error.path, streamId })
    }
    if (error instanceof UnknownEventTypeError) {
      return new LineProblem(line, error.message, { path: 'type', streamId })
    }
    throw error
  }
}
