import type { EventId, StreamId, Version } from '#domain'
import { type CategoryReader, type EventStore, EventStoreError } from '#event-store'

import { categoryPages } from '../category-pages.ts'
import { type JobControl, PhaseProgress } from '../job-control.ts'
import { OperationError } from '../operation-error.ts'
import { rollbackIdOf } from './known-streams.ts'

export interface RollbackRequest {
  readonly importId: string
  readonly aggregateType: string
  /** What is appended to each stream. */
  readonly event: { readonly type: string; readonly data: unknown }
  readonly isDryRun: boolean
}

/** `interrupted`: the same request resumes it; no stream gets the event twice. */
export interface RolledBack {
  readonly status: 'rolled-back' | 'interrupted'
  /** Streams that the import started. */
  readonly streams: number
  readonly takenBack: number
  /** An earlier run did it. */
  readonly alreadyTakenBack: number
  /** The first streams to which others have appended. */
  readonly leftAlone: readonly { readonly streamId: StreamId; readonly reason: string }[]
  readonly leftAloneCount: number
}

interface ImportedStream {
  readonly first: Version
  last: Version
  events: number
  isTakenBack: boolean
}

const atOnceMax = 500
const leftAloneShownMax = 1_000

/**
 * Rolls an import back as far as an append-only log allows: appends one event to each stream that the import started, right after the
 * import's own events. A stream to which others have appended is left unchanged.
 * @throws OperationError `import-not-found`; EventStoreError `invalid-event`, `unknown-event-type` when the event does not fit; whatever else the store throws.
 */
export async function rollback(
  store: Pick<CategoryReader, 'readCategory'> & Pick<EventStore, 'append'>,
  request: RollbackRequest,
  control: JobControl<'rolling-back'>,
): Promise<RolledBack> {
  const { importId, aggregateType, event, isDryRun } = request
  const { signal } = control
  const streams = await importedStreams(store, request, signal)
  if (streams.size === 0 && !signal.aborted) throw nothingFound(importId, aggregateType)
  const taking = new TakingBack(store, importId, event, isDryRun)
  const all = [...streams]
  const progress = new PhaseProgress(control, { phase: 'rolling-back', unit: 'streams' }, all.length)
  for (let at = 0; at < all.length && !signal.aborted; at += atOnceMax) {
    const some = all.slice(at, at + atOnceMax)
    await Promise.all(some.map(([streamId, stream]) => taking.take(streamId, stream)))
    progress.advance(some.length)
  }
  return {
    status: signal.aborted ? 'interrupted' : 'rolled-back',
    streams: streams.size,
    ...taking.outcome,
  }
}

const nothingFound = (importId: string, aggregateType: string): OperationError =>
  new OperationError(
    'import-not-found',
    `no event of aggregate type ${aggregateType} is of an import ${importId}: is it what --import-id named?`,
  )

async function importedStreams(
  store: Pick<CategoryReader, 'readCategory'>,
  { importId, aggregateType }: RollbackRequest,
  signal: AbortSignal,
): Promise<Map<StreamId, ImportedStream>> {
  const streams = new Map<StreamId, ImportedStream>()
  for await (const events of categoryPages(store, aggregateType, { correlationId: importId }, signal)) {
    for (const { streamId, version, id } of events) {
      const stream = streams.get(streamId) ?? { first: version, last: version, events: 0, isTakenBack: false }
      stream.last = version
      stream.events += 1
      stream.isTakenBack ||= id === rollbackIdOf(streamId, importId)
      streams.set(streamId, stream)
    }
  }
  return streams
}

class TakingBack {
  readonly #store: Pick<EventStore, 'append'>
  readonly #importId: string
  readonly #event: RollbackRequest['event']
  readonly #isDryRun: boolean
  readonly #leftAlone: { streamId: StreamId; reason: string }[] = []
  #takenBack = 0
  #alreadyTakenBack = 0
  #leftAloneCount = 0

  constructor(
    store: Pick<EventStore, 'append'>,
    importId: string,
    event: RollbackRequest['event'],
    isDryRun: boolean,
  ) {
    this.#store = store
    this.#importId = importId
    this.#event = event
    this.#isDryRun = isDryRun
  }

  get outcome(): Pick<RolledBack, 'takenBack' | 'alreadyTakenBack' | 'leftAlone' | 'leftAloneCount'> {
    return {
      takenBack: this.#takenBack,
      alreadyTakenBack: this.#alreadyTakenBack,
      leftAlone: this.#leftAlone,
      leftAloneCount: this.#leftAloneCount,
    }
  }

  async take(streamId: StreamId, { first, last, events, isTakenBack }: ImportedStream): Promise<void> {
    if (isTakenBack) this.#alreadyTakenBack += 1
    else if (first !== 1 || last !== events) this.#leave(streamId, 'it holds events of others too')
    else if (this.#isDryRun) this.#takenBack += 1
    else await this.#append(streamId, last)
  }

  async #append(streamId: StreamId, expectedVersion: Version): Promise<void> {
    const id: EventId = rollbackIdOf(streamId, this.#importId)
    const event = { ...this.#event, id, metadata: { correlationId: this.#importId } }
    try {
      await this.#store.append(streamId, [event], { expectedVersion })
      this.#takenBack += 1
    } catch (error) {
      if (!(error instanceof EventStoreError) || error.code !== 'wrong-expected-version') throw error
      this.#leave(
        streamId,
        `others have appended to it since: it is at version ${error.details.actual ?? '?'}`,
      )
    }
  }

  #leave(streamId: StreamId, reason: string): void {
    this.#leftAloneCount += 1
    if (this.#leftAlone.length < leftAloneShownMax) this.#leftAlone.push({ streamId, reason })
  }
}
