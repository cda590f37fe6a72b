import { formatPartition, type Position, type TopicPartition } from '#domain'
import {
  type AddOptions,
  type CommitOutcome,
  type GenerationState,
  type KeyedView,
  type Lookup,
  type NewGeneration,
  type ParkedEvent,
  type Stop,
  type StoredProjection,
  type StoredView,
  type StoredViewPage,
  type UnpublishedView,
  type ViewChange,
  type ViewCommit,
  type ViewLookup,
  type ViewPageQuery,
  type ViewSet,
  type ViewStore,
  ViewStoreUnavailableError,
} from '#projections'
import { IndexUnavailableError, type RedisConnection, type Script } from '#redis-index'

import {
  applyParkedScript,
  commitScript,
  dropParkedScript,
  expireScript,
  markPublishedScript,
  stopScript,
} from './change-scripts.ts'
import {
  addGenerationScript,
  discardScript,
  generationsScript,
  resumeScript,
  retireScript,
  switchScript,
} from './generation-scripts.ts'
import { decodeGeneration, type GenerationReply, inPairs } from './generation-state.ts'
import { ProjectionKeys } from './keys.ts'
import { decodePosition, encodePosition } from './parked-event.ts'
import { pageScript, parkedScript, unpublishedScript, viewScript } from './read-scripts.ts'
import { changeItems, type Item, packArgument } from './script-argument.ts'
import {
  decodeDeletionTime,
  decodeRevision,
  decodeView,
  encodeRevisions,
  encodeTime,
  hasExpired,
} from './stored-view.ts'

export interface RedisViewStoreOptions {
  /** Milliseconds since 1970; what expires and what is held goes by it. Default: the clock. */
  readonly now?: () => number
}

/**
 * Views in Redis. All of a projection is in one slot of Redis Cluster, and every method is one script or command. A revision
 * is the number of a step within its generation.
 */
export class RedisViewStore implements ViewStore {
  readonly #redis: RedisConnection
  readonly #now: () => number

  constructor(redis: RedisConnection, { now = Date.now }: RedisViewStoreOptions = {}) {
    this.#redis = redis
    this.#now = now
  }

  prepare(): Promise<void> {
    return Promise.resolve()
  }

  async generations(projection: StoredProjection): Promise<readonly GenerationState[]> {
    const reply = (await this.#ask(generationsScript, projection, [])) as GenerationReply[]
    return reply.map(decodeGeneration).sort((one, other) => (one.id < other.id ? -1 : 1))
  }

  async addGeneration(
    projection: StoredProjection,
    generation: NewGeneration,
    { ifNeeded = false, insteadOf = '' }: AddOptions = {},
  ): Promise<boolean> {
    const { id, viewVersion, until } = generation
    const flags = [until === undefined ? 0 : 1, ifNeeded ? 1 : 0]
    const items = [id, JSON.stringify(generation), viewVersion, ...flags, insteadOf]
    return (await this.#ask(addGenerationScript, projection, items)) === 1
  }

  async switchTo(set: ViewSet, holdMs: number): Promise<'switched' | 'behind' | 'gone'> {
    const heldUntilMs = String(this.#now() + holdMs)
    return String(await this.#askSet(switchScript, set, [set.generation, heldUntilMs])) as Awaited<
      ReturnType<ViewStore['switchTo']>
    >
  }

  async retire(set: ViewSet): Promise<boolean> {
    return (await this.#askSet(retireScript, set, [set.generation])) === 1
  }

  async discard(set: ViewSet, limit: number): Promise<boolean> {
    const items = [set.generation, encodeTime(this.#now()), limit]
    return (await this.#askSet(discardScript, set, items)) === 1
  }

  async read(set: ViewSet, keys: readonly string[]): Promise<ReadonlyMap<string, StoredView>> {
    if (keys.length === 0) return new Map()
    const views = this.#keys(set.projection).views(set.generation)
    const values = (await this.#try(this.#redis.call('HMGET', [views, ...keys]))) as (Buffer | null)[]
    return new Map(
      keys.flatMap((key, index) => {
        const bytes = values[index]
        return bytes == null ? [] : [[key, decodeView(bytes)] as const]
      }),
    )
  }

  async commit(set: ViewSet, commit: ViewCommit): Promise<CommitOutcome> {
    const { source, from, to, changes, parked } = commit
    const items: Item[] = [
      set.generation,
      String(this.#now()),
      formatPartition(source),
      from === undefined ? '' : String(from),
      String(to),
      parked.flatMap(({ position, parkedAtMs }) => [String(parkedAtMs), encodePosition(position)]),
      parked.flatMap(({ position, error }) => [encodePosition(position), error]),
      ...changeItems(changes, set.projection.indexNames),
    ]
    return String(await this.#askSet(commitScript, set, items)) as CommitOutcome
  }

  async view(
    projection: StoredProjection,
    key: string,
    lookup: ViewLookup = {},
  ): Promise<Lookup<StoredView | undefined>> {
    const reply = await this.#ask(viewScript, projection, [...lookupItems(lookup), key])
    return found(reply as [Buffer, Buffer | null], ([bytes]) => {
      const view = bytes === null ? undefined : decodeView(bytes)
      return view === undefined || hasExpired(view, this.#now()) ? undefined : view
    })
  }

  async page(projection: StoredProjection, query: ViewPageQuery): Promise<Lookup<StoredViewPage>> {
    const { orderBy, descending, limit, cursor } = query
    const items = [
      ...lookupItems(query),
      orderBy === undefined ? 'order' : `index:${orderBy}`,
      descending ? 1 : 0,
      limit,
      cursor === undefined ? '' : String(orderBy === undefined ? 0 : (cursor.figure ?? 0)),
      cursor?.key ?? '',
    ]
    const reply = await this.#ask(pageScript, projection, items)
    return found(reply as [Buffer, ...PageReply], (page) => decodePage(page, query, this.#now()))
  }

  async unpublished(set: ViewSet, limit: number): Promise<readonly UnpublishedView[]> {
    const reply = await this.#askSet(unpublishedScript, set, [limit])
    const [marks, views] = reply as [Buffer[], (Buffer | null)[]]
    return inPairs(marks).map(([key, mark], index) => {
      const bytes = views[index]
      const view = bytes == null ? undefined : decodeView(bytes)
      return {
        key: String(key),
        revision: decodeRevision(mark),
        json: view?.json ?? null,
        changedAtMs: view?.changedAtMs ?? decodeDeletionTime(mark),
      }
    })
  }

  async markPublished(
    set: ViewSet,
    published: readonly Pick<UnpublishedView, 'key' | 'revision'>[],
  ): Promise<void> {
    const keys = published.map(({ key }) => key)
    const revisions = encodeRevisions(published.map(({ revision }) => revision))
    await this.#askSet(markPublishedScript, set, [keys, revisions])
  }

  async expire(set: ViewSet, nowMs: number, limit: number): Promise<number> {
    const items = [String(nowMs), encodeTime(nowMs), limit]
    return (await this.#askSet(expireScript, set, items)) as number
  }

  async stop(set: ViewSet, source: TopicPartition, stop: Stop): Promise<void> {
    await this.#askSet(stopScript, set, [formatPartition(source), JSON.stringify(stop)])
  }

  async resume(projection: StoredProjection, source?: TopicPartition): Promise<number> {
    const items = [source === undefined ? '' : formatPartition(source)]
    return (await this.#ask(resumeScript, projection, items)) as number
  }

  async parked(
    set: ViewSet,
    { offset, limit }: { readonly offset: number; readonly limit: number },
  ): Promise<readonly ParkedEvent[]> {
    const reply = await this.#askSet(parkedScript, set, [offset, limit])
    const [parked, errors] = reply as [Buffer[], Buffer[]]
    return inPairs(parked).map(([position, parkedAtMs], index) => ({
      position: decodePosition(position),
      error: String(errors[index]),
      parkedAtMs: Number(parkedAtMs),
    }))
  }

  async applyParked(
    set: ViewSet,
    position: Position,
    changes: readonly ViewChange[],
  ): Promise<'applied' | 'not-parked' | 'view-changed' | 'gone'> {
    const items: Item[] = [
      set.generation,
      encodePosition(position),
      ...changeItems(changes, set.projection.indexNames),
    ]
    return String(await this.#askSet(applyParkedScript, set, items)) as Awaited<
      ReturnType<ViewStore['applyParked']>
    >
  }

  async dropParked(set: ViewSet, positions: readonly Position[]): Promise<number> {
    return (await this.#askSet(dropParkedScript, set, [positions.map(encodePosition)])) as number
  }

  /** Does nothing: the connection belongs to whoever opened it. */
  close(): Promise<void> {
    return Promise.resolve()
  }

  #keys(projection: StoredProjection): ProjectionKeys {
    return new ProjectionKeys(this.#redis.keyPrefix, projection.name)
  }

  #ask(script: Script, projection: StoredProjection, items: readonly Item[]): Promise<unknown> {
    const keys = [this.#keys(projection).generations]
    return this.#try(this.#redis.run(script, keys, packArgument(items)))
  }

  #askSet(script: Script, set: ViewSet, items: readonly Item[]): Promise<unknown> {
    const keys = this.#keys(set.projection).ofSet(set)
    return this.#try(this.#redis.run(script, keys, packArgument(items)))
  }

  async #try(answer: Promise<unknown>): Promise<unknown> {
    try {
      return await answer
    } catch (error) {
      if (!(error instanceof IndexUnavailableError)) throw error
      throw new ViewStoreUnavailableError(`the store of views does not answer: ${error.message}`, {
        cause: error,
      })
    }
  }
}

/** As lookupPart reads it. */
function lookupItems({ generation = '', after }: ViewLookup): readonly string[] {
  return after === undefined
    ? [generation, '', '']
    : [generation, formatPartition(after), String(after.offset)]
}

function found<Rest extends readonly unknown[], Found>(
  reply: Buffer | readonly [Buffer, ...Rest],
  decode: (rest: Rest) => Found,
): Lookup<Found> {
  if (Buffer.isBuffer(reply)) return { outcome: String(reply) as 'no-generation' | 'behind' }
  const [generation, ...rest] = reply
  return { outcome: 'found', generation: String(generation), found: decode(rest) }
}

type PageReply = [more: number, ranked: Buffer[], views: (Buffer | null)[]]

function decodePage(
  [more, ranked, values]: PageReply,
  { orderBy }: ViewPageQuery,
  nowMs: number,
): StoredViewPage {
  const entries = inPairs(ranked).map(([key, figure]) => ({ key: String(key), figure: Number(figure) }))
  const views = entries.flatMap(({ key, figure }, index): KeyedView[] => {
    const bytes = values[index]
    const view = bytes == null ? undefined : decodeView(bytes)
    return view === undefined || hasExpired(view, nowMs)
      ? []
      : [{ key, ...view, ...(orderBy !== undefined && { figure }) }]
  })
  const last = entries.at(-1)
  if (more === 0 || last === undefined) return { views }
  return { views, next: orderBy === undefined ? { key: last.key } : last }
}
