import { formatPosition } from '#domain'

import { sourceKey } from '../source-partition.ts'
import type {
  KeyedView,
  StoredViewPage,
  UnpublishedView,
  ViewChange,
  ViewPageQuery,
  ViewStore,
} from '../view-store.ts'
import { type Claim, type Command, type ModelChange, modelKeys } from './model-commands.ts'
import type { TestClock } from './test-clock.ts'
import { at, change, found, parkedEvent, source, type TestedProjection, topic } from './tested-projection.ts'

const holdMs = 75
const everything = 1000

/** Does commands to one store, and tells what came of them in words that are the same for every store. */
export class ModelPlayer {
  readonly #store: ViewStore
  readonly #projection: TestedProjection
  readonly #clock: TestClock
  /** All revisions that were ever seen of a view, the newest last; by generation and key. */
  readonly #seen = new Map<string, number[]>()

  constructor(store: ViewStore, projection: TestedProjection, clock: TestClock) {
    this.#store = store
    this.#projection = projection
    this.#clock = clock
  }

  async play(command: Command): Promise<unknown> {
    const { stored } = this.#projection
    switch (command.kind) {
      case 'add':
        return this.#add(command)
      case 'switch':
        return this.#store.switchTo(this.#projection.set(command.id), holdMs)
      case 'retire':
        return this.#store.retire(this.#projection.set(command.id))
      case 'discard':
        return this.#store.discard(this.#projection.set(command.id), everything)
      case 'commit':
        return this.#commit(command)
      case 'applyParked':
        return this.#applyParked(command)
      case 'dropParked': {
        const positions = [await this.#nthParked(command.id, command.nth)]
        return this.#store.dropParked(this.#projection.set(command.id), positions)
      }
      case 'markPublished':
        return this.#markPublished(command)
      case 'expire': {
        const nowMs = this.#clock.now() + command.aheadMs
        return this.#store.expire(this.#projection.set(command.id), nowMs, everything)
      }
      case 'stop': {
        const stop = { position: at(7, command.partition), error: command.error, stoppedAtMs: 5 }
        return this.#store.stop(this.#projection.set(command.id), source(command.partition), stop)
      }
      case 'resume': {
        const { partition } = command
        return this.#store.resume(stored, partition === undefined ? undefined : source(partition))
      }
      case 'page':
        return this.#page(command)
      case 'wait':
        return undefined
    }
  }

  /** All that can be seen of all generations; revisions as their places in their order. */
  async observe(): Promise<unknown> {
    const generations = await this.#store.generations(this.#projection.stored)
    return Promise.all(
      generations.map(async (generation) => {
        const set = this.#projection.set(generation.id)
        const [views, unpublished, parked] = await Promise.all([
          this.#store.read(set, modelKeys),
          this.#projection.unpublished(generation.id),
          this.#store.parked(set, { offset: 0, limit: everything }),
        ])
        for (const [key, { revision }] of views) this.#remember(generation.id, key, revision)
        const place = placesOf([...views.values(), ...unpublished.values()])
        return {
          generation,
          views: new Map([...views].map(([key, view]) => [key, place(view)])),
          unpublished: new Map([...unpublished].map(([key, view]) => [key, place(view)])),
          parked,
        }
      }),
    )
  }

  #add({ id, viewVersion, kept, ifNeeded, topicId }: Command & { kind: 'add' }): Promise<boolean> {
    const generation = { viewVersion, topicIds: { [topic]: topicId }, createdAtMs: 1 }
    return this.#projection.add(id, { ...generation, ...(kept && { until: { beforeMs: 1 } }) }, { ifNeeded })
  }

  async #commit(command: Command & { kind: 'commit' }): Promise<unknown> {
    const { id, partition, from, steps, changes, parks, parkedAtMs } = command
    const checkpoint = await this.#checkpoint(id, partition)
    const next = checkpoint ?? 0
    return this.#projection.commit(id, {
      partition,
      from: from === 'right' ? checkpoint : from === 'none' ? undefined : next + 1,
      to: next + steps,
      changes: await this.#changes(id, changes),
      parked: parks ? [parkedEvent(next, { position: at(next, partition), parkedAtMs })] : [],
    })
  }

  async #applyParked({ id, nth, changes }: Command & { kind: 'applyParked' }): Promise<unknown> {
    const position = await this.#nthParked(id, nth)
    const set = this.#projection.set(id)
    const outcome = await this.#store.applyParked(set, position, await this.#changes(id, changes))
    return [formatPosition(position), outcome]
  }

  async #markPublished({ id, keys, claim }: Command & { kind: 'markPublished' }): Promise<void> {
    const unpublished = await this.#projection.unpublished(id)
    const published = keys.map((key) => ({
      key,
      revision: this.#claimed(id, key, claim, unpublished.get(key)?.revision),
    }))
    await this.#store.markPublished(this.#projection.set(id), published)
  }

  async #page({ id, orderBy, cursor, after, ...more }: Command & { kind: 'page' }): Promise<unknown> {
    const { key, figure } = cursor ?? {}
    const query: ViewPageQuery = {
      descending: more.descending,
      limit: more.limit,
      ...(id !== undefined && { generation: id }),
      ...(orderBy !== undefined && { orderBy }),
      ...(after !== undefined && { after: at(after.offset, after.partition) }),
      ...(key !== undefined && { cursor: { key, ...(orderBy && figure !== undefined && { figure }) } }),
    }
    const lookup = await this.#store.page(this.#projection.stored, query)
    if (lookup.outcome !== 'found') return lookup
    const views = await this.#rest(query, lookup.found)
    return { ...lookup, found: views.map(placesOf(views)) }
  }

  /** All pages from a first one on: where a page ends is up to the store. */
  async #rest(query: ViewPageQuery, { views, next }: StoredViewPage): Promise<KeyedView[]> {
    if (next === undefined) return [...views]
    const page = found(await this.#store.page(this.#projection.stored, { ...query, cursor: next }))
    return [...views, ...(await this.#rest(query, page))]
  }

  async #changes(id: string, changes: readonly ModelChange[]): Promise<ViewChange[]> {
    const views = await this.#store.read(this.#projection.set(id), modelKeys)
    return changes.map(({ key, n, claim, figure, expiresInMs }) =>
      change(key, n, {
        expected: this.#claimed(id, key, claim, views.get(key)?.revision),
        indexes: n === null ? {} : { spend: figure },
        ...(n !== null && expiresInMs !== undefined && { expiresAtMs: this.#clock.now() + expiresInMs }),
      }),
    )
  }

  #claimed(id: string, key: string, claim: Claim, now = 0): number {
    if (claim !== 'earlier') return claim === 'now' ? now : 0
    const earlier = this.#seen.get(`${id} ${key}`)?.findLast((revision) => revision !== now)
    return earlier ?? now + 1
  }

  #remember(id: string, key: string, revision: number): void {
    const seen = this.#seen.get(`${id} ${key}`) ?? []
    this.#seen.set(`${id} ${key}`, seen)
    if (seen.at(-1) !== revision) seen.push(revision)
  }

  async #checkpoint(id: string, partition: number): Promise<number | undefined> {
    const generations = await this.#store.generations(this.#projection.stored)
    const state = generations.find((generation) => generation.id === id)
    return state?.checkpoints.get(sourceKey(source(partition)))
  }

  /** One that is set aside, or one that is not where there are not so many. */
  async #nthParked(id: string, nth: number) {
    const [event] = await this.#store.parked(this.#projection.set(id), { offset: nth, limit: 1 })
    return event?.position ?? at(999)
  }
}

/** Stores count revisions as they like, as long as they rise: what is compared is their order. */
function placesOf(views: readonly Pick<UnpublishedView, 'revision'>[]) {
  const order = [...new Set(views.map(({ revision }) => revision))].sort((a, b) => a - b)
  return <View extends { readonly revision: number; readonly json: string | null }>(view: View) => ({
    ...view,
    revision: order.indexOf(view.revision),
    json: view.json === null ? null : (JSON.parse(view.json) as unknown),
  })
}
