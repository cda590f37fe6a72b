import { formatPartition, type Position } from '#domain'
import { type EventFeed, isReadable } from '#event-log/records'
import { invalidRequest, parsePageLimit, parseTime } from '#event-store'
import {
  type DeadLetter,
  type DeadLetterRetry,
  type ProjectionInfo,
  ProjectionError,
  type RebuildOptions,
  type Until,
  type UpdatesQuery,
  type View,
  type ViewOptions,
  type ViewsPage,
  type ViewsQuery,
  type ViewStore,
  type ViewUpdate,
} from '#projections'

import type { AppliedEvents } from './applied-events.ts'
import { ProjectionDeadLetters } from './dead-letters/projection-dead-letters.ts'
import { type KnownProjection, KnownProjections } from './known-projections.ts'
import { answered, noEventThere, noGeneration, unknownIndex } from './projection-errors.ts'
import { endsOf, projectionInfo } from './projection-infos.ts'
import type { ChangeBatch, ProjectorApi } from './projector-api.ts'
import { ServedGenerations } from './served-generations.ts'
import type { SourceStates } from './source-states.ts'
import { decodeViewCursor, encodeViewCursor } from './view-cursor.ts'

interface ProjectionsParts {
  readonly store: Pick<ViewStore, 'generations' | 'views' | 'parked'>
  readonly feed: EventFeed
  readonly projections: readonly KnownProjection[]
  readonly appliedEvents: AppliedEvents
  readonly states: Pick<SourceStates, 'checkReadable' | 'waiting'>
  readonly changelog: Pick<ProjectorApi, 'updates' | 'subscribe' | 'checkUpdates' | 'cursorNow'>
  /** The longest time that a read waits for an event to be applied. */
  readonly afterTimeoutMs: number
}

const limitDefault = 100

/** What readers and operators can do with projections. Any instance can answer, because the state is in the store and the log. */
export class Projections implements ProjectorApi {
  readonly #parts: ProjectionsParts
  readonly #known: KnownProjections
  readonly #served: ServedGenerations
  readonly #deadLetters: ProjectionDeadLetters

  constructor(parts: ProjectionsParts) {
    const { store, feed, projections, appliedEvents, states, afterTimeoutMs } = parts
    const known = new KnownProjections(projections, states)
    const served = new ServedGenerations({
      generations: store.generations,
      known,
      appliedEvents,
      afterTimeoutMs,
    })
    this.#parts = parts
    this.#known = known
    this.#served = served
    this.#deadLetters = new ProjectionDeadLetters({ store, feed, known, served })
  }

  list(): Promise<readonly ProjectionInfo[]> {
    return Promise.all(this.#known.names.map((name) => this.describe(name)))
  }

  async describe(name: string): Promise<ProjectionInfo> {
    const { projection, sources } = this.#known.find(name)
    const [states, ends] = await Promise.all([
      answered(this.#parts.store.generations.list(projection)),
      endsOf(this.#parts.feed, sources),
    ])
    const waitForOperator = this.#parts.states.waiting([projection])
    const info = projectionInfo(projection, states, sources, ends)
    return { ...info, ...(waitForOperator.length > 0 && { waitForOperator }) }
  }

  async view(name: string, key: string, options: ViewOptions = {}): Promise<View> {
    const { projection } = this.#known.readable(name)
    const found = await this.#served.lookUp(projection, options, () =>
      this.#parts.store.views.find(projection, key, options),
    )
    if (found !== undefined) return toView({ ...found, key })
    const absent = `projection ${name} has no view ${JSON.stringify(key)}`
    throw this.#known.waitingError(projection) ?? new ProjectionError('view-not-found', absent)
  }

  async views(name: string, query: ViewsQuery = {}): Promise<ViewsPage> {
    const { projection } = this.#known.readable(name)
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
    const page = await this.#served.lookUp(projection, query, () =>
      this.#parts.store.views.page(projection, asked),
    )
    return {
      views: page.views.map(toView),
      ...(page.next && { next: encodeViewCursor(page.next, orderBy) }),
    }
  }

  updates(name: string, query: UpdatesQuery, signal: AbortSignal): AsyncIterable<ViewUpdate> {
    this.#known.readable(name)
    return this.#parts.changelog.updates(name, query, signal)
  }

  subscribe(name: string, query: UpdatesQuery, signal: AbortSignal): AsyncIterable<ChangeBatch> {
    this.#known.readable(name)
    return this.#parts.changelog.subscribe(name, query, signal)
  }

  async checkUpdates(name: string, query: UpdatesQuery): Promise<void> {
    this.#known.readable(name)
    await this.#parts.changelog.checkUpdates(name, query)
  }

  cursorNow(name: string): Promise<string> {
    this.#known.readable(name)
    return this.#parts.changelog.cursorNow(name)
  }

  async rebuild(
    name: string,
    { untilTime, untilPosition }: RebuildOptions = {},
  ): Promise<{ generation: string }> {
    const known = this.#known.readable(name)
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
    const { projection } = this.#known.find(name)
    const states = await answered(this.#parts.store.generations.list(projection))
    if (!states.some(({ id }) => id === generation)) throw noGeneration(name, generation)
    if (await answered(this.#parts.store.generations.retire({ projection, generation }))) return
    throw invalidRequest(
      'generation',
      `generation ${generation} of ${name} is serving: rebuild the projection first`,
    )
  }

  async resume(name: string): Promise<{ resumed: number }> {
    return {
      resumed: await answered(this.#parts.store.generations.resume(this.#known.find(name).projection)),
    }
  }

  deadLetters(
    name: string,
    page: { readonly offset?: number; readonly limit?: number } = {},
  ): Promise<readonly DeadLetter[]> {
    return this.#deadLetters.list(name, page)
  }

  retryDeadLetters(name: string, positions?: readonly Position[]): Promise<DeadLetterRetry> {
    return this.#deadLetters.retry(name, positions)
  }

  dropDeadLetters(name: string, positions: readonly Position[]): Promise<{ dropped: number }> {
    return this.#deadLetters.drop(name, positions)
  }

  async #untilPosition(known: KnownProjection, position: Position): Promise<Until> {
    this.#known.checkSource(known.projection, position, 'untilPosition')
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
