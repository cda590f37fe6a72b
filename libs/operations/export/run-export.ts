import type { Writable } from 'node:stream'

import { abortable } from '#async'
import type { CategoryReader, EventStore } from '#event-store'

import { readMapping } from '../import/mapping.ts'
import { type JobControl, orInterrupted, PhaseProgress, timed } from '../job-control.ts'
import { type Exported, exportEvents, type ExportScope } from './export-events.ts'
import { jsonLines, tableLines } from './export-lines.ts'
import { type ExportOutput, outputTo, outputToStream } from './export-output.ts'

export interface ExportRequest {
  readonly scope: ExportScope
  /** ISO 8601; the second is exclusive. */
  readonly from: string | undefined
  readonly until: string | undefined
  /** Event types; empty: all. */
  readonly types: readonly string[]
  /** Path of a mapping: events are written as a table. Undefined: one line of JSON per event. */
  readonly mapping: string | undefined
  /** Path of the file to write; undefined: the caller's stream. */
  readonly file: string | undefined
  /** Replaces a file that exists. */
  readonly isOverwriting: boolean
}

export interface ExportConnections {
  readonly store: Pick<CategoryReader, 'readCategory'> &
    Pick<EventStore, 'read'> & {
      /** Checks the id, too. @throws EventStoreError `invalid-request`, `stream-not-found` */
      readonly info: (streamId: string) => Promise<unknown>
    }
  /** Receives the lines of a request without a file. */
  readonly lines: Writable
}

/**
 * Exports events to a file, which gets its name when it is complete, or to a stream.
 * @throws OperationError `target-exists`, `file-failed`, `disk-full`, `invalid-request` if a mapping has no row for an event;
 *   EventStoreError as reading does.
 */
export async function runExport(
  connections: ExportConnections,
  request: ExportRequest,
  control: JobControl<'exporting'>,
): Promise<Exported> {
  const outcome = await orInterrupted(control, () => timed(() => exportAll(connections, request, control)))
  return 'events' in outcome ? outcome : { ...outcome, events: 0, streams: 0, tookMs: 0 }
}

async function exportAll(
  { store, lines: stream }: ExportConnections,
  { mapping, file, isOverwriting, ...request }: ExportRequest,
  control: JobControl<'exporting'>,
): Promise<Omit<Exported, 'tookMs'>> {
  const { signal } = control
  const lines = mapping === undefined ? jsonLines : tableLines(await readMapping(mapping))
  await abortable(signal, () => checkScope(store, request.scope))
  const output: ExportOutput = file === undefined ? outputToStream(stream) : outputTo(file, isOverwriting)
  const progress = new PhaseProgress(control, { phase: 'exporting', unit: 'events' }, undefined)
  return exportEvents(store, {
    ...{ ...request, lines, output, signal },
    advance: (events) => progress.advance(events),
  })
}

/** Fails before a file is created if there is nothing to export. */
async function checkScope(store: ExportConnections['store'], scope: ExportScope): Promise<void> {
  if ('streamId' in scope) await store.info(scope.streamId)
  else await store.readCategory(scope.aggregateType, { limit: 1 })
}
