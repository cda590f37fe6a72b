import type { EventId, StreamId } from '#domain'
import { type ErrorCode, type EventStore, EventStoreError } from '#event-store'

import { type EventLine, LineProblem } from './imported-line.ts'
import { type KnownStream, KnownStreams, rollbackIdOf } from './known-streams.ts'

/** The outcome of some lines of one stream. */
export interface AppendedLines {
  readonly appended: number
  /** Already in the stream from an earlier run. */
  readonly alreadyThere: number
  /** Why the first of the other lines was rejected. The lines after it were not tried. */
  readonly problem?: LineProblem
}

/** Bounds the retries while others append to the stream. */
const triesMax = 10

/** Errors of an event or its stream. Any other error is not caused by the line. */
const lineFaults = new Set<ErrorCode>([
  'invalid-request',
  'invalid-event',
  'unknown-event-type',
  'append-too-large',
  'category-not-found',
])

/**
 * Appends lines to their streams, each exactly once. Every append has an expected version; an unknown stream is expected not to exist.
 * After a rejection it reads the events of the stream, and appends the others.
 */
export class StreamAppender {
  readonly #store: Pick<EventStore, 'append' | 'read'>
  readonly #importId: string | undefined
  readonly #known: KnownStreams

  /** @param importId the id of an import that can be rolled back: it may append only to streams that it created. */
  constructor(store: Pick<EventStore, 'append' | 'read'>, importId: string | undefined) {
    this.#store = store
    this.#importId = importId
    this.#known = new KnownStreams(store, importId)
  }

  /** Records that an earlier run appended this line. */
  recall({ streamId, event }: EventLine): void {
    this.#known.recall(streamId, [event.id])
  }

  /**
   * @param lines of one stream, in order. Only one call for a stream at a time.
   * @throws EventStoreError that is not caused by a line, e.g. `unavailable`, `outcome-unknown`.
   */
  async append(streamId: StreamId, lines: readonly EventLine[]): Promise<AppendedLines> {
    let known = this.#known.get(streamId)
    for (let tries = 1; ; tries++) {
      const stranger = known && this.#stranger(streamId, known, lines)
      if (stranger !== undefined) return { appended: 0, alreadyThere: 0, problem: stranger }
      const { ids } = known ?? nothingKnown
      const fresh = lines.filter(({ event }) => !ids.has(event.id))
      const there = lines.length - fresh.length
      if (fresh.length === 0) return { appended: 0, alreadyThere: there }
      try {
        return plus(await this.#send(streamId, fresh, known), there)
      } catch (error) {
        if (!isConflict(error) || tries === triesMax) throw error
        known = await this.#known.read(streamId)
      }
    }
  }

  async #send(
    streamId: StreamId,
    lines: readonly EventLine[],
    known: KnownStream | undefined,
  ): Promise<AppendedLines> {
    const events = lines.map(({ event }) => event)
    try {
      const expectedVersion = known?.version ?? 'no-stream'
      const { lastVersion, duplicate } = await this.#store.append(streamId, events, { expectedVersion })
      if (duplicate) {
        this.#known.recall(streamId, idsOf(lines))
        return { appended: 0, alreadyThere: lines.length }
      }
      this.#known.appended(streamId, lastVersion, idsOf(lines))
      return { appended: lines.length, alreadyThere: 0 }
    } catch (error) {
      if (!(error instanceof EventStoreError) || !lineFaults.has(error.code)) throw error
      return this.#aroundFault(streamId, lines, error)
    }
  }

  /** An append is rejected as a whole. Appends the lines before the faulty one, or the halves of an append that is too large. */
  async #aroundFault(
    streamId: StreamId,
    lines: readonly EventLine[],
    error: EventStoreError,
  ): Promise<AppendedLines> {
    const { index, path } = placeOf(error)
    const isDivisible = error.code === 'append-too-large' && lines.length > 1
    const good = isDivisible ? lines.length >> 1 : index
    const before = good === 0 ? nothing : await this.append(streamId, lines.slice(0, good))
    if (before.problem !== undefined) return before
    if (isDivisible) {
      const after = await this.append(streamId, lines.slice(good))
      return { ...after, ...plus(before, after.alreadyThere, after.appended) }
    }
    const line = lines[index]?.line ?? 0
    return { ...before, problem: new LineProblem(line, error.message, { ...path, streamId }) }
  }

  /** Why this import must not append to a stream. */
  #stranger(
    streamId: StreamId,
    { ids, hasOthers }: KnownStream,
    [first]: readonly EventLine[],
  ): LineProblem | undefined {
    if (this.#importId === undefined) return undefined
    const problem = (why: string) => new LineProblem(first?.line ?? 0, why, { path: 'streamId', streamId })
    if (ids.has(rollbackIdOf(streamId, this.#importId))) {
      return problem(
        `import ${this.#importId} was rolled back in ${streamId}: start over with another --import-id`,
      )
    }
    return hasOthers
      ? problem(
          `${streamId} contains events that are not from import ${this.#importId}: an import with an id may append only to streams that it creates`,
        )
      : undefined
  }
}

const nothingKnown = { ids: new Set<EventId>() }
const nothing: AppendedLines = { appended: 0, alreadyThere: 0 }

const plus = (lines: AppendedLines, alreadyThere: number, appended = 0): AppendedLines => ({
  ...lines,
  appended: lines.appended + appended,
  alreadyThere: lines.alreadyThere + alreadyThere,
})

const idsOf = (lines: readonly EventLine[]): EventId[] => lines.map(({ event }) => event.id)

const isConflict = (error: unknown): boolean =>
  error instanceof EventStoreError && ['wrong-expected-version', 'partial-duplicate'].includes(error.code)

/** `events[2].data.cds`: of the third line, `data.cds`. */
function placeOf({ details }: EventStoreError): { readonly index: number; readonly path: { path?: string } } {
  const match = /^events\[(\d+)\]\.?(.*)$/.exec(details.path ?? '')
  if (match === null) return { index: 0, path: details.path === undefined ? {} : { path: details.path } }
  return { index: Number(match[1]), path: match[2] ? { path: match[2] } : {} }
}
