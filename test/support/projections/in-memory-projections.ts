import {
  aggregateTypeOf,
  eventTopic,
  formatPosition,
  newEventId,
  parsePosition,
  type Position,
  position,
  type Projection,
  type RecordedEvent,
  type StreamId,
} from '#domain'
import { invalidRequest, parseTime } from '#event-store'
import {
  type DeadLetter,
  ProjectionError,
  type ProjectionInfo,
  type RebuildOptions,
  type UpdatesQuery,
  type View,
  type ViewOptions,
  type ViewsPage,
  type ViewsQuery,
  type ViewUpdate,
} from '#projections'

import type { ProjectorApi } from '../../../services/projector/projector-api.ts'
import { InMemoryGeneration } from './in-memory-generation.ts'
import { pageOf } from './page-of-views.ts'

interface Kept {
  readonly projection: Projection
  generations: InMemoryGeneration[]
  /** All changes of the serving views. A cursor is an index into it. */
  readonly changes: Omit<ViewUpdate, 'cursor'>[]
}

/** Projections without Kafka and stores, for tests of the layers above them: a log in memory, and views folded from it. */
export class InMemoryProjections implements ProjectorApi {
  /** While true, only {@link advance} applies events. */
  held = false
  readonly log: RecordedEvent[] = []
  readonly #kept: ReadonlyMap<string, Kept>
  #changed = Promise.withResolvers<undefined>()

  constructor(...projections: readonly Projection[]) {
    const keep = (projection: Projection): Kept => ({
      projection,
      generations: [this.#generation(projection, 'serving')],
      changes: [],
    })
    this.#kept = new Map(projections.map((projection) => [projection.name, keep(projection)]))
  }

  /** Appends an event to the log. @returns its position */
  append(streamId: string, type: string, data: unknown, timestamp = new Date().toISOString()): Position {
    const topic = eventTopic(aggregateTypeOf(streamId as StreamId))
    const count = (of: (event: RecordedEvent) => boolean) => this.log.filter(of).length
    const at = position(
      topic,
      0,
      count((event) => event.position.topic === topic),
    )
    const version = (count((event) => event.streamId === streamId) + 1) as RecordedEvent['version']
    const head = { id: newEventId(), streamId: streamId as StreamId, version, position: at }
    this.log.push({ ...head, type, data, metadata: {}, timestamp })
    this.#go()
    return at
  }

  /** Applies up to `count` events in every generation. */
  advance(count = Infinity): void {
    for (const kept of this.#kept.values()) {
      for (const generation of kept.generations) {
        const keys = generation.advance(count)
        if (generation.status === 'serving') keys.forEach((key) => this.#publish(kept, generation, key))
      }
      this.#switch(kept)
    }
    this.#notify()
  }

  list = () => Promise.resolve([...this.#kept.values()].map(infoOf))
  describe = (name: string) => this.#of(name).then(infoOf)

  async view(name: string, key: string, options: ViewOptions = {}): Promise<View> {
    const found = (await this.#awaited(name, options)).views.get(key)
    if (found === undefined) throw new ProjectionError('view-not-found', `${name} has no view ${key}`)
    return { key, ...found }
  }

  async views(name: string, query: ViewsQuery = {}): Promise<ViewsPage> {
    const { projection } = await this.#of(name)
    return pageOf(projection, (await this.#awaited(name, query)).views, query)
  }

  async *updates(name: string, query: UpdatesQuery, signal: AbortSignal): AsyncGenerator<ViewUpdate> {
    const { changes } = await this.#of(name)
    const { cursor = '', key } = query
    if (!/^\d*$/.test(cursor)) throw invalidRequest('cursor', `cursor ${cursor} is malformed`)
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve))
    let place = Number(cursor)
    while (!signal.aborted) {
      const changed = this.#changed.promise
      while (place < changes.length) {
        const change = changes[place] as ViewUpdate
        const isLast = !changes.slice(place + 1).some((later) => later.key === change.key)
        place += 1
        const isWanted = (key === undefined || key === change.key) && isLast
        if (isWanted && (cursor !== '' || change.view !== null)) yield { ...change, cursor: String(place) }
        // Like the real projector, end when the reader has left.
        if (isAborted(signal)) return
      }
      await Promise.race([changed, aborted])
    }
  }

  async *subscribe(...args: Parameters<InMemoryProjections['updates']>) {
    for await (const { cursor, ...change } of this.updates(...args))
      yield { changes: [{ change, cursor }], cursor }
  }

  async checkUpdates(name: string, { cursor = '' }: UpdatesQuery): Promise<void> {
    const { changes } = await this.#of(name)
    if (!/^\d*$/.test(cursor) || Number(cursor) > changes.length)
      throw invalidRequest('cursor', `cursor ${cursor} is malformed, or beyond the end`)
  }

  cursorNow = (name: string) => this.#of(name).then(({ changes }) => String(changes.length))

  async rebuild(name: string, options: RebuildOptions = {}): Promise<{ generation: string }> {
    const kept = await this.#of(name)
    const counts = this.#countsOf(options)
    const generation = this.#generation(kept.projection, counts ? 'kept' : 'building', counts)
    if (!counts) kept.generations = kept.generations.filter(({ status }) => status !== 'building')
    kept.generations.push(generation)
    this.#go()
    return { generation: generation.id }
  }

  async discard(name: string, generation: string): Promise<void> {
    const kept = await this.#of(name)
    const found = generationOf(kept, generation)
    if (found.status === 'serving') throw invalidRequest('generation', `${generation} serves`)
    kept.generations = kept.generations.filter((one) => one !== found)
  }

  async resume(name: string): Promise<{ resumed: number }> {
    const stopped = (await this.#of(name)).generations.filter((generation) => generation.stopped)
    for (const generation of stopped) generation.stopped = undefined
    this.#go()
    return { resumed: stopped.length }
  }

  async deadLetters(name: string, { offset = 0, limit = 100 } = {}): Promise<readonly DeadLetter[]> {
    return (await this.#awaited(name, {})).deadLetters.slice(offset, offset + limit)
  }

  async retryDeadLetters(name: string, positions?: readonly Position[]) {
    const generation = await this.#awaited(name, {})
    const wanted = wantedOf(positions)
    const failed: DeadLetter[] = []
    const tried = generation.deadLetters.filter(wanted)
    for (const letter of tried) {
      const at = parsePosition(letter.position)
      const event = this.log.find(
        ({ position: { topic, offset } }) => topic === at.topic && offset === at.offset,
      )
      try {
        const key = generation.apply(event as RecordedEvent)
        if (key !== undefined) this.#publish(await this.#of(name), generation, key)
      } catch (error) {
        failed.push({ ...letter, error: (error as Error).message })
      }
    }
    generation.deadLetters = [...generation.deadLetters.filter((letter) => !wanted(letter)), ...failed]
    this.#notify()
    return { applied: tried.length - failed.length, failed }
  }

  async dropDeadLetters(name: string, positions: readonly Position[]) {
    const generation = await this.#awaited(name, {})
    const before = generation.deadLetters.length
    generation.deadLetters = generation.deadLetters.filter((letter) => !wantedOf(positions)(letter))
    return { dropped: before - generation.deadLetters.length }
  }

  #go(): void {
    if (this.held) this.#notify()
    else this.advance()
  }

  #generation(
    projection: Projection,
    status: InMemoryGeneration['status'],
    counts?: (event: RecordedEvent) => boolean,
  ): InMemoryGeneration {
    const start = { id: newEventId(), status, log: this.log, range: this.log.length }
    return new InMemoryGeneration(projection, { ...start, ...(counts && { counts }) })
  }

  #countsOf({
    untilTime,
    untilPosition: at,
  }: RebuildOptions): ((event: RecordedEvent) => boolean) | undefined {
    if (untilTime !== undefined) {
      const untilMs = parseTime(untilTime, 'untilTime')
      return ({ timestamp }) => Date.parse(timestamp) < untilMs
    }
    return at && ((event) => event.position.topic === at.topic && event.position.offset <= at.offset)
  }

  #of(name: string): Promise<Kept> {
    const kept = this.#kept.get(name)
    if (kept !== undefined) return Promise.resolve(kept)
    return Promise.reject(new ProjectionError('projection-not-found', `there is no projection ${name}`))
  }

  /** The requested generation, once it has applied the awaited position. */
  async #awaited(
    name: string,
    { after, timeoutMs = 5_000, generation }: ViewOptions,
  ): Promise<InMemoryGeneration> {
    const kept = await this.#of(name)
    const timeout = new Promise((resolve) =>
      AbortSignal.timeout(timeoutMs).addEventListener('abort', resolve),
    )
    const endMs = performance.now() + timeoutMs
    for (;;) {
      const found = generationOf(kept, generation)
      const changed = this.#changed.promise
      if (after === undefined || this.#has(found, after)) return found
      if (performance.now() >= endMs) {
        const message = `${formatPosition(after)} is not in ${name} yet after ${timeoutMs} ms`
        throw new ProjectionError('projection-behind', message)
      }
      await Promise.race([changed, timeout])
    }
  }

  #has(generation: InMemoryGeneration, { topic, offset }: Position): boolean {
    const events = this.log.slice(0, generation.applied)
    return events.some(({ position: at }) => at.topic === topic && at.offset === offset)
  }

  #publish({ changes }: Kept, { views }: InMemoryGeneration, key: string): void {
    const { view, changedAt } = views.get(key) ?? { view: null, changedAt: new Date().toISOString() }
    changes.push({ key, view, changedAt })
  }

  /** Makes a building generation serve once it has caught up, and publishes the views that differ. */
  #switch(kept: Kept): void {
    const built = kept.generations.find(
      ({ status, applied, end }) => status === 'building' && applied === end,
    )
    if (built === undefined) return
    const old = generationOf(kept)
    old.status = 'retired'
    built.status = 'serving'
    kept.generations = kept.generations.filter((generation) => generation !== old)
    for (const key of new Set([...old.views.keys(), ...built.views.keys()])) {
      const isSame = JSON.stringify(old.views.get(key)) === JSON.stringify(built.views.get(key))
      if (!isSame) this.#publish(kept, built, key)
    }
  }

  #notify(): void {
    this.#changed.resolve(undefined)
    this.#changed = Promise.withResolvers()
  }
}

const isAborted = (signal: AbortSignal): boolean => signal.aborted

function wantedOf(positions: readonly Position[] | undefined): (letter: DeadLetter) => boolean {
  const tokens = positions && new Set(positions.map(formatPosition))
  return ({ position: at }) => tokens?.has(at) ?? true
}

function generationOf({ generations }: Kept, id?: string): InMemoryGeneration {
  const found = generations.find((one) => (id === undefined ? one.status === 'serving' : one.id === id))
  if (found !== undefined) return found
  throw new ProjectionError('generation-not-found', `there is no generation ${id ?? 'that serves'}`)
}

const infoOf = ({ projection, generations }: Kept): ProjectionInfo => ({
  name: projection.name,
  sources: projection.sources,
  keyedBy: projection.keyedBy,
  viewVersion: projection.viewVersion,
  indexes: projection.indexNames,
  ...servingOf(generations),
  generations: generations.map((generation) => generation.describe()),
})

function servingOf(generations: readonly InMemoryGeneration[]): { serving?: string } {
  const serving = generations.find(({ status }) => status === 'serving')
  return serving === undefined ? {} : { serving: serving.id }
}
