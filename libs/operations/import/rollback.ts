import type { EventId, StreamId, Version } from '#domain'
import { type CategoryReader, type EventStore, EventStoreError } from '#event-store'

import { categoryPages } from '../category-pages.ts'
import { type JobControl, PhaseProgress, timed } from '../job-control.ts'
import { OperationError } from '../operation-error.ts'
import { rollbackIdOf } from './known-streams.ts'

export interface RollbackRequest {
  readonly importId: string
  readonly aggregateType: string
  /** The event to append to each stream. */
  readonly event: { readonly type: string; readonly data: unknown }
  readonly isDryRun: boolean
}

/** `interrupted`: the same request resumes the rollback; no stream gets the event twice. */
export interface RolledBack {
  readonly status: 'rolled-back' | 'interrupted'
  /** Streams that the import created. */
  readonly streams: number
  readonly takenBack: number
  /** Streams that an earlier run rolled back. */
  readonly alreadyTakenBack: number
  /** The first streams to which others have appended. */
  readonly leftAlone: readonly { readonly streamId: StreamId; readonly reason: string }[]
  readonly leftAloneCount: number
  readonly tookMs: number
}

interface ImportedStream {
  readonly first: Version
  last: Version
  events: number
  isTakenBack: boolean
}

type RollbackStore = Pick<CategoryReader, 'readCategory'> & Pick<EventStore, 'append'>

const atOnceMax = 500
const leftAloneShownMax = 1_000

/**
 * Rolls an import back as far as an append-only log allows: appends one event to each stream that the import created, right after the
 * events of the import. A stream to which others have appended is unchanged.
 * @throws OperationError `import-not-found`; EventStoreError `invalid-event`, `unknown-event-type` if the event does not fit; other errors of the store.
 */
export function rollback(
  store: RollbackStore,
  request: RollbackRequest,
  control: JobControl<'rolling-back'>,
): Promise<RolledBack> {
  return timed(() => rollBackAll(store, request, control))
}

async function rollBackAll(
  store: RollbackStore,
  request: RollbackRequest,
  control: JobControl<'rolling-back'>,
): Promise<Omit<RolledBack, 'tookMs'>> {
  const { importId, aggregateType, event, isDryRun } = request
  const { signal } = control
  const streams = await importedStreams(store, request, signal)
  if (streams.size === 0 && !signal.aborted) throw nothingFound(importId, aggregateType)
  const run = new Rollback(store, importId, event, isDryRun)
  const all = [...streams]
  const progress = new PhaseProgress(control, { phase: 'rolling-back', unit: 'streams' }, all.length)
  for (let at = 0; at < all.length && !signal.aborted; at += atOnceMax) {
    const some = all.slice(at, at + atOnceMax)
    await Promise.all(some.map(([streamId, stream]) => run.take(streamId, stream)))
    progress.advance(some.length)
  }
  return {
    status: signal.aborted ? 'interrupted' : 'rolled-back',
    streams: streams.size,
    ...run.outcome,
  }
}

const nothingFound = (importId: string, aggregateType: string): OperationError =>
  new OperationError(
    'import-not-found',
    `aggregate type ${aggregateType} has no events of import ${importId}: is that the --import-id of the import?`,
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

class Rollback {
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
    else if (first !== 1 || last !== events)
      this.#leave(streamId, 'it contains events that are not from the import')
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
        `other events were appended to it since: it is at version ${error.details.actual ?? '?'}`,
      )
    }
  }

  #leave(streamId: StreamId, reason: string): void {
    this.#leftAloneCount += 1
    if (this.#leftAlone.length < leftAloneShownMax) this.#leftAlone.push({ streamId, reason })
  }
}
