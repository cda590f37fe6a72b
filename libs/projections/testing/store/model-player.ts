import { formatPartition, formatPosition, type Position } from '#domain'

import type { GenerationState } from '../../view-store/generations.ts'
import type { UnpublishedView } from '../../view-store/outbox.ts'
import type { ViewSet } from '../../view-store/view-set.ts'
import type { ViewStore } from '../../view-store/view-store.ts'
import type { KeyedView, StoredViewPage, ViewChange, ViewPageQuery } from '../../view-store/views.ts'
import { type Claim, type Command, type ModelChange, modelKeys, type ModelTarget } from './model-commands.ts'
import type { TestClock } from '../test-clock.ts'
import { at, change, found, parkedEvent, source, type TestedProjection, topic } from '../tested-projection.ts'

const holdMs = 75
const everything = 1000

type Of<Kind extends Command['kind']> = Extract<Command, { readonly kind: Kind }>

/** Runs commands on one store and reports their outcomes in a form that does not depend on the store. */
export class ModelPlayer {
  readonly #store: ViewStore
  readonly #projection: TestedProjection
  readonly #clock: TestClock
  /** As last observed. */
  #generations: readonly GenerationState[] = []
  #added = 0
  /** All revisions ever seen of a view, the newest last, by generation and key. */
  readonly #seen = new Map<string, number[]>()

  constructor(store: ViewStore, projection: TestedProjection, clock: TestClock) {
    this.#store = store
    this.#projection = projection
    this.#clock = clock
  }

  async play(command: Command): Promise<unknown> {
    switch (command.kind) {
      case 'add':
        return this.#add(command)
      case 'switch':
        return this.#store.generations.switchTo(this.#set(command.target), holdMs)
      case 'retire':
        return this.#store.generations.retire(this.#set(command.target))
      case 'discard':
        return this.#store.generations.discard(this.#set(command.target), everything)
      case 'commit':
        return this.#commit(command)
      case 'applyParked':
        return this.#applyParked(command)
      case 'dropParked':
        return this.#store.parked.drop(this.#set(command.target), [await this.#nthParked(command)])
      case 'markPublished':
        return this.#markPublished(command)
      case 'expire':
        return this.#store.views.expire(
          this.#set(command.target),
          this.#clock.now() + command.aheadMs,
          everything,
        )
      case 'stop':
        return this.#stop(command)
      case 'resume': {
        const of = command.partition === undefined ? undefined : source(command.partition)
        return this.#store.generations.resume(this.#projection.stored, of)
      }
      case 'page':
        return this.#page(command)
      case 'wait':
        return undefined
    }
  }

  /** Everything observable of all generations, with revisions replaced by their ranks. */
  async observe(): Promise<unknown> {
    this.#generations = await this.#store.generations.list(this.#projection.stored)
    return Promise.all(
      this.#generations.map(async (generation) => {
        const set = this.#projection.set(generation.id)
        const [views, unpublished, parked] = await Promise.all([
          this.#store.views.read(set, modelKeys),
          this.#projection.unpublished(generation.id),
          this.#store.parked.list(set, { offset: 0, limit: everything }),
        ])
        for (const [key, { revision }] of views) this.#remember(set, key, revision)
        const ordered = inOrder([...views.values(), ...unpublished.values()])
        return {
          generation,
          views: new Map([...views].map(([key, view]) => [key, ordered(view)])),
          unpublished: new Map([...unpublished].map(([key, view]) => [key, ordered(view)])),
          parked,
        }
      }),
    )
  }

  #add({ taken, viewVersion, kept, ifNeeded, topicId }: Of<'add'>): Promise<boolean> {
    const id = (taken ? this.#generations[0]?.id : undefined) ?? `g${++this.#added}`
    const generation = { viewVersion, topicIds: { [topic]: topicId }, createdAtMs: 1 }
    return this.#projection.add(id, { ...generation, ...(kept && { until: { beforeMs: 1 } }) }, { ifNeeded })
  }

  async #commit(command: Of<'commit'>): Promise<unknown> {
    const { target, partition, from, steps, parks, parkedAtMs } = command
    const checkpoint = this.#find(target)?.checkpoints.get(formatPartition(source(partition)))
    const next = checkpoint ?? 0
    const set = this.#set(target)
    return this.#store.views.commit(set, {
      source: source(partition),
      from: { right: checkpoint, none: undefined, wrong: next + 1 }[from],
      to: next + steps,
      changes: await this.#changes(set, command.changes),
      parked: parks ? [parkedEvent(next, { position: at(next, partition), parkedAtMs })] : [],
    })
  }

  async #applyParked(command: Of<'applyParked'>): Promise<unknown> {
    const position = await this.#nthParked(command)
    const set = this.#set(command.target)
    const outcome = await this.#store.parked.apply(set, position, await this.#changes(set, command.changes))
    return [formatPosition(position), outcome]
  }

  async #markPublished({ target, keys, claim }: Of<'markPublished'>): Promise<void> {
    const set = this.#set(target)
    const unpublished = await this.#projection.unpublished(set.generation)
    const published = keys.map((key) => ({
      key,
      revision: this.#claimed(set, key, claim, unpublished.get(key)?.revision),
    }))
    await this.#store.outbox.markPublished(set, published)
  }

  #stop({ target, partition, error }: Of<'stop'>): Promise<void> {
    const stop = { position: at(7, partition), error, stoppedAtMs: 5 }
    return this.#store.generations.stop(this.#set(target), source(partition), stop)
  }

  async #page({ target, orderBy, cursor, after, descending, limit }: Of<'page'>): Promise<unknown> {
    const { key = '', figure = 0 } = cursor ?? {}
    const query: ViewPageQuery = {
      descending,
      limit,
      ...(target !== undefined && { generation: this.#set(target).generation }),
      ...(orderBy !== undefined && { orderBy }),
      ...(after !== undefined && { after: at(after.offset, after.partition) }),
      ...(cursor !== undefined && { cursor: { key, ...(orderBy !== undefined && { figure }) } }),
    }
    const lookup = await this.#store.views.page(this.#projection.stored, query)
    if (lookup.outcome !== 'found') return lookup
    const views = await this.#rest(query, lookup.found)
    return { ...lookup, found: views.map(inOrder(views)) }
  }

  /** All pages from the first one on. The store decides where a page ends. */
  async #rest(query: ViewPageQuery, { views, next }: StoredViewPage): Promise<KeyedView[]> {
    if (next === undefined) return [...views]
    const page = found(await this.#store.views.page(this.#projection.stored, { ...query, cursor: next }))
    return [...views, ...(await this.#rest(query, page))]
  }

  async #changes(set: ViewSet, changes: readonly ModelChange[]): Promise<ViewChange[]> {
    const views = await this.#store.views.read(set, modelKeys)
    return changes.map(({ key, n, claim, figure, expiresInMs }) =>
      change(key, n, {
        expected: this.#claimed(set, key, claim, views.get(key)?.revision),
        indexes: n === null ? {} : { spend: figure },
        ...(n !== null && expiresInMs !== undefined && { expiresAtMs: this.#clock.now() + expiresInMs }),
      }),
    )
  }

  #claimed(set: ViewSet, key: string, claim: Claim, now = 0): number {
    if (claim !== 'earlier') return claim === 'now' ? now : 0
    const earlier = this.#seenOf(set, key).findLast((revision) => revision !== now)
    return earlier ?? now + 1
  }

  #remember(set: ViewSet, key: string, revision: number): void {
    const seen = this.#seenOf(set, key)
    if (seen.at(-1) !== revision) seen.push(revision)
  }

  #seenOf({ generation }: ViewSet, key: string): number[] {
    const seen = this.#seen.get(`${generation} ${key}`) ?? []
    this.#seen.set(`${generation} ${key}`, seen)
    return seen
  }

  #find(target: ModelTarget): GenerationState | undefined {
    return this.#generations.findLast(({ status }) => status === target)
  }

  #set(target: ModelTarget): ViewSet {
    return this.#projection.set(this.#find(target)?.id ?? 'none')
  }

  /** A parked event, or one that is not parked if there are too few. */
  async #nthParked({
    target,
    nth,
  }: {
    readonly target: ModelTarget
    readonly nth: number
  }): Promise<Position> {
    const [event] = await this.#store.parked.list(this.#set(target), { offset: nth, limit: 1 })
    return event?.position ?? at(999)
  }
}

/** Stores may number revisions freely as long as they rise, so a revision is reported as its rank. */
function inOrder(views: readonly Pick<UnpublishedView, 'revision'>[]) {
  const order = [...new Set(views.map(({ revision }) => revision))].sort((a, b) => a - b)
  return <View extends Pick<UnpublishedView, 'revision' | 'json'>>(view: View) => ({
    ...view,
    revision: order.indexOf(view.revision),
    json: view.json === null ? null : (JSON.parse(view.json) as unknown),
  })
}
