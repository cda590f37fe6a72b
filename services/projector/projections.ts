import {
  formatPartition,
  formatPosition,
  type Position,
  type Projection,
  suggestion,
  type TopicPartition,
} from '#domain'
import { type EventFeed, isReadable } from '#event-log/records'
import { invalidRequest, parsePageLimit, parseTime } from '#event-store'
import {
  type DeadLetter,
  type DeadLetterRetry,
  type Generation,
  type Lookup,
  type ParkedEvent,
  ParkedRetry,
  type ProjectionInfo,
  ProjectionError,
  type RebuildOptions,
  type Until,
  type UpdatesQuery,
  type View,
  type ViewOptions,
  type ViewSet,
  type ViewsPage,
  type ViewsQuery,
  type ViewStore,
  type ViewUpdate,
} from '#projections'

import type { AppliedEvents } from './applied-events.ts'
import type { ChangeBatch, ProjectorApi } from './projector-api.ts'
import { endsOf, projectionInfo, withoutViews } from './projection-infos.ts'
import { answered, behind, noEventThere, noGeneration, unknownIndex } from './projection-errors.ts'
import type { SourceStates } from './source-states.ts'
import { decodeViewCursor, encodeViewCursor } from './view-cursor.ts'

/** What is known of a projection here beside its definition. */
export interface KnownProjection {
  readonly projection: Projection
  readonly sources: readonly TopicPartition[]
  /** Begins a generation. @returns its id. */
  rebuild(until?: Until): Promise<string>
  /** Whether a generation is made from topics that are gone: nothing of it is served. */
  isOfOldLog(generation: Generation): boolean
}

export interface ProjectionsParts {
  readonly store: Pick<ViewStore, 'generations' | 'views' | 'parked'>
  readonly feed: EventFeed
  readonly projections: readonly KnownProjection[]
  readonly appliedEvents: AppliedEvents
  readonly states: Pick<SourceStates, 'checkReadable' | 'waiting'>
  readonly changelog: Pick<ProjectorApi, 'updates' | 'subscribe' | 'checkUpdates' | 'cursorNow'>
  /** How long a read waits at most for an event to be applied. */
  readonly afterTimeoutMs: number
}

const limitDefault = 100
const deadLettersMax = 1_000
const waitMsDefault = 5_000
const generationsMax = 1_000

/** What readers and operators can do with projections, at any instance: all that it needs to know is in the store and in the log. */
export class Projections implements ProjectorApi {
  readonly #parts: ProjectionsParts
  readonly #known: ReadonlyMap<string, KnownProjection>
  /** Generations that may be served. */
  readonly #ofThisLog = new Set<string>()

  constructor(parts: ProjectionsParts) {
    this.#parts = parts
    this.#known = new Map(parts.projections.map((known) => [known.projection.name, known]))
  }

  list(): Promise<readonly ProjectionInfo[]> {
    return Promise.all([...this.#known.keys()].map((name) => this.describe(name)))
  }

  async describe(name: string): Promise<ProjectionInfo> {
    const { projection, sources } = this.#find(name)
    const [states, ends] = await Promise.all([
      answered(this.#parts.store.generations.list(projection)),
      endsOf(this.#parts.feed, sources),
    ])
    const waitForOperator = this.#parts.states.waiting([projection])
    const info = projectionInfo(projection, states, sources, ends)
    return { ...info, ...(waitForOperator.length > 0 && { waitForOperator }) }
  }

  async view(name: string, key: string, options: ViewOptions = {}): Promise<View> {
    const { projection } = this.#readable(name)
    const found = await this.#lookUp(projection, options, () =>
      this.#parts.store.views.find(projection, key, options),
    )
    if (found !== undefined) return toView({ ...found, key })
    const absent = `projection ${name} has no view ${JSON.stringify(key)}`
    throw this.#waitingError(projection) ?? new ProjectionError('view-not-found', absent)
  }

  async views(name: string, query: ViewsQuery = {}): Promise<ViewsPage> {
    const { projection } = this.#readable(name)
    const { orderBy, descending = false, cursor } = query
    if (orderBy !== undefined && !projection.indexNames.includes(orderBy)) {
      throw invalidRequest('orderBy', unknownIndex(projection, orderBy))
    }
    const asked = {
      ...lookupOf(query),
      descending,
      limit: parsePageLimit(query.limit ?? limitDefault),
      ...(orderBy !== undefined && { orderBy }),
      ...(cursor !== undefined && { cursor: decodeViewCursor(cursor, orderBy) }),
    }
    const page = await this.#lookUp(projection, query, () => this.#parts.store.views.page(projection, asked))
    return {
      views: page.views.map(toView),
      ...(page.next && { next: encodeViewCursor(page.next, orderBy) }),
    }
  }

  updates(name: string, query: UpdatesQuery, signal: AbortSignal): AsyncIterable<ViewUpdate> {
    this.#readable(name)
    return this.#parts.changelog.updates(name, query, signal)
  }

  subscribe(name: string, query: UpdatesQuery, signal: AbortSignal): AsyncIterable<ChangeBatch> {
    this.#readable(name)
    return this.#parts.changelog.subscribe(name, query, signal)
  }

  async checkUpdates(name: string, query: UpdatesQuery): Promise<void> {
    this.#readable(name)
    await this.#parts.changelog.checkUpdates(name, query)
  }

  cursorNow(name: string): Promise<string> {
    this.#readable(name)
    return this.#parts.changelog.cursorNow(name)
  }

  async rebuild(
    name: string,
    { untilTime, untilPosition }: RebuildOptions = {},
  ): Promise<{ generation: string }> {
    const known = this.#readable(name)
    if (untilTime !== undefined && untilPosition !== undefined) {
      throw invalidRequest('untilTime', 'untilTime and untilPosition are both given: expected one of them')
    }
    const until =
      untilPosition !== undefined
        ? await this.#untilPosition(known, untilPosition)
        : untilTime !== undefined
          ? { beforeMs: parseTime(untilTime, 'untilTime') }
          : undefined
    return { generation: await answered(known.rebuild(until)) }
  }

  async discard(name: string, generation: string): Promise<void> {
    const { projection } = this.#find(name)
    const states = await answered(this.#parts.store.generations.list(projection))
    if (!states.some(({ id }) => id === generation)) throw noGeneration(name, generation)
    if (await answered(this.#parts.store.generations.retire({ projection, generation }))) return
    throw invalidRequest(
      'generation',
      `generation ${generation} of ${name} serves: rebuild it, and another one takes its place`,
    )
  }

  async resume(name: string): Promise<{ resumed: number }> {
    return { resumed: await answered(this.#parts.store.generations.resume(this.#find(name).projection)) }
  }

  async deadLetters(
    name: string,
    { offset = 0, limit = limitDefault }: { offset?: number; limit?: number } = {},
  ): Promise<readonly DeadLetter[]> {
    const set = await this.#serving(this.#find(name).projection)
    const page = { offset, limit: parsePageLimit(limit) }
    return (await answered(this.#parts.store.parked.list(set, page))).map(toDeadLetter)
  }

  async retryDeadLetters(name: string, positions?: readonly Position[]): Promise<DeadLetterRetry> {
    const { projection } = this.#find(name)
    for (const position of positions ?? []) this.#checkSource(projection, position, 'positions')
    const { store, feed } = this.#parts
    const set = await this.#serving(projection)
    const asked = positions ?? (await this.#allParked(set))
    const { applied, failed } = await answered(new ParkedRetry(projection, store, feed).retry(set, asked))
    return { applied, failed: failed.map(toDeadLetter) }
  }

  async dropDeadLetters(name: string, positions: readonly Position[]): Promise<{ dropped: number }> {
    const set = await this.#serving(this.#find(name).projection)
    return { dropped: await answered(this.#parts.store.parked.drop(set, positions)) }
  }

  async #allParked(set: ViewSet): Promise<readonly Position[]> {
    const parked = await answered(this.#parts.store.parked.list(set, { offset: 0, limit: deadLettersMax }))
    return parked.map(({ position }) => position)
  }

  #find(name: string): KnownProjection {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    throw new ProjectionError(
      'projection-not-found',
      `there is no projection ${JSON.stringify(name)}${suggestion(name, [...this.#known.keys()])}`,
    )
  }

  /** @throws ProjectionError `log-replaced` where its views are of a topic that is gone. */
  #readable(name: string): KnownProjection {
    const known = this.#find(name)
    this.#parts.states.checkReadable(known.projection)
    return known
  }

  async #serving(projection: Projection): Promise<ViewSet> {
    const states = await answered(this.#parts.store.generations.list(projection))
    const serving = states.find(({ status }) => status === 'serving')
    if (serving === undefined || this.#find(projection.name).isOfOldLog(serving))
      throw await this.#nothingServed(projection)
    return { projection, generation: serving.id }
  }

  async #nothingServed(projection: Projection): Promise<ProjectionError> {
    const waiting = this.#waitingError(projection)
    if (waiting !== undefined) return waiting
    const states = await answered(this.#parts.store.generations.list(projection))
    const reason = withoutViews(projection, states) ?? `another generation of ${projection.name} takes over`
    return new ProjectionError('unavailable', reason, { retryAfterSeconds: 1 })
  }

  /** Asks until the event of `after` is applied, for as long as the caller, and the bound, allow. */
  async #lookUp<Found>(
    projection: Projection,
    { after, generation, timeoutMs = waitMsDefault }: ViewOptions,
    ask: () => Promise<Lookup<Found>>,
  ): Promise<Found> {
    const { appliedEvents } = this.#parts
    if (after !== undefined) {
      this.#checkSource(projection, after, 'after')
      appliedEvents.admit({ projection, after, generation })
    }
    const waitMs = Math.min(timeoutMs, this.#parts.afterTimeoutMs)
    const deadline = performance.now() + waitMs
    for (;;) {
      const seen = appliedEvents.steps
      const looked = await answered(ask())
      const isServed = looked.outcome === 'found' && (await this.#isOfThisLog(projection, looked.generation))
      if (looked.outcome === 'found' && isServed) return looked.found
      if (looked.outcome !== 'behind') {
        throw generation === undefined
          ? await this.#nothingServed(projection)
          : noGeneration(projection.name, generation)
      }
      const leftMs = deadline - performance.now()
      if (after === undefined || leftMs <= 0) throw behind(projection, after, waitMs)
      await appliedEvents.next({ projection, after, generation }, seen, leftMs)
    }
  }

  /** Looked up once for each generation. */
  async #isOfThisLog(projection: Projection, generation: string): Promise<boolean> {
    const key = `${projection.name}/${generation}`
    if (this.#ofThisLog.has(key)) return true
    const states = await answered(this.#parts.store.generations.list(projection))
    const state = states.find(({ id }) => id === generation)
    if (state === undefined || this.#find(projection.name).isOfOldLog(state)) return false
    if (this.#ofThisLog.size >= generationsMax) this.#ofThisLog.clear()
    this.#ofThisLog.add(key)
    return true
  }

  /** Why something that is missing may stay missing. */
  #waitingError(projection: Projection): ProjectionError | undefined {
    const [waiting] = this.#parts.states.waiting([projection])
    return waiting && new ProjectionError(waiting.state, waiting.reason)
  }

  #checkSource(projection: Projection, at: Position, path: string): void {
    const { sources } = this.#find(projection.name)
    if (sources.some((source) => formatPartition(source) === formatPartition(at))) return
    throw invalidRequest(
      path,
      `position ${formatPosition(at)} is of no source of projection ${projection.name}: it is made from ${projection.sources.join(', ')}`,
    )
  }

  async #untilPosition(known: KnownProjection, position: Position): Promise<Until> {
    this.#checkSource(known.projection, position, 'untilPosition')
    const event = await this.#parts.feed.eventAt(position).catch(noEventThere)
    if (!isReadable(event))
      throw invalidRequest('untilPosition', `no event can be read there: ${event.unreadable.message}`)
    return {
      beforeMs: Date.parse(event.timestamp) + 1,
      exact: { source: formatPartition(position), end: position.offset + 1 },
    }
  }
}

const lookupOf = ({ after, generation }: ViewOptions) => ({
  ...(after !== undefined && { after }),
  ...(generation !== undefined && { generation }),
})

const toView = ({ key, json, changedAtMs }: { key: string; json: string; changedAtMs: number }): View => ({
  key,
  view: JSON.parse(json) as unknown,
  changedAt: new Date(changedAtMs).toISOString(),
})

const toDeadLetter = ({ position, error, parkedAtMs }: ParkedEvent): DeadLetter => ({
  position: formatPosition(position),
  error,
  at: new Date(parkedAtMs).toISOString(),
})
