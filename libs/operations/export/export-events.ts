import { unlessAborted } from '#async'
import { parseStreamId, type RecordedEvent } from '#domain'
import { type CategoryReader, type EventStore, pageLimitMax, readAll } from '#event-store'

import { categoryPages } from '../category-pages.ts'
import type { ExportLines } from './export-lines.ts'
import type { ExportOutput } from './export-output.ts'

/** What is exported: one stream, or all of an aggregate type. */
export type ExportScope = { readonly streamId: string } | { readonly aggregateType: string }

interface ExportParts {
  readonly scope: ExportScope
  /** ISO 8601; the second is exclusive. */
  readonly from: string | undefined
  readonly until: string | undefined
  /** Event types; empty: all. */
  readonly types: readonly string[]
  readonly lines: ExportLines
  readonly output: ExportOutput
  /** Receives the number of events written. */
  readonly advance: (events: number) => void
  readonly signal: AbortSignal
}

export interface Exported {
  readonly events: number
  readonly streams: number
  /** `interrupted`: no file was written; a stream has received the events before the interruption. */
  readonly status: 'exported' | 'interrupted'
  readonly tookMs: number
}

/**
 * Writes events: each stream in its order, an aggregate type partition by partition.
 * @throws EventStoreError as reading does; OperationError if the output cannot be written, or a mapping has no row for an event
 */
export async function exportEvents(
  store: Pick<CategoryReader, 'readCategory'> & Pick<EventStore, 'read'>,
  request: ExportParts,
): Promise<Omit<Exported, 'tookMs'>> {
  const { lines, output, signal, advance } = request
  const streams = new Set<string>()
  let events = 0
  try {
    await output.write(lines.header)
    for await (const page of pagesOf(store, request)) {
      for (const { streamId } of page) streams.add(streamId)
      events += page.length
      await output.write(page.map((event) => lines.line(event)).join(''))
      advance(page.length)
    }
    if (!signal.aborted) await output.complete()
  } catch (error) {
    if (!signal.aborted) {
      await output.abandon()
      throw error
    }
  }
  if (signal.aborted) await output.abandon()
  return { events, streams: streams.size, status: signal.aborted ? 'interrupted' : 'exported' }
}

function pagesOf(
  store: Pick<CategoryReader, 'readCategory'> & Pick<EventStore, 'read'>,
  { scope, from, until, types, signal }: ExportParts,
): AsyncIterable<readonly RecordedEvent[]> {
  const times = { ...(from !== undefined && { from }), ...(until !== undefined && { until }) }
  if ('streamId' in scope) return streamPages(store, scope.streamId, times, types, signal)
  const query = { ...times, ...(types.length > 0 && { eventTypes: types }) }
  return categoryPages(store, scope.aggregateType, query, signal)
}

async function* streamPages(
  store: Pick<EventStore, 'read'>,
  streamId: string,
  times: { readonly from?: string; readonly until?: string },
  types: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<readonly RecordedEvent[], void> {
  let page: RecordedEvent[] = []
  const events = readAll(store, parseStreamId(streamId), { ...times, limit: pageLimitMax })
  for (;;) {
    const next = await unlessAborted(signal, events.next())
    if (next === undefined || signal.aborted) return
    if (next.done === true) break
    const event = next.value
    if (types.length > 0 && !types.includes(event.type)) continue
    page.push(event)
    if (page.length < pageLimitMax) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}
