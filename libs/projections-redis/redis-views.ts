import { formatPartition } from '#domain'
import {
  type CommitOutcome,
  hasExpired,
  type KeyedView,
  type Lookup,
  type StoredProjection,
  type StoredView,
  type StoredViewPage,
  type ViewCommit,
  type ViewLookup,
  type ViewPageQuery,
  type Views,
  type ViewSet,
} from '#projections'

import { commitViewsScript, expireScript } from './change-scripts.ts'
import { inPairs } from './generation-state.ts'
import { encodePosition } from './parked-position.ts'
import type { ProjectionScripts } from './projection-scripts.ts'
import { pageScript, viewScript } from './read-scripts.ts'
import { changeItems, type ScriptItem } from './script-argument.ts'
import { decodeView, encodeTime } from './stored-view.ts'

/** {@link Views} in Redis. */
export class RedisViews implements Views {
  readonly #scripts: ProjectionScripts
  readonly #now: () => number

  constructor(scripts: ProjectionScripts, now: () => number) {
    this.#scripts = scripts
    this.#now = now
  }

  async read(set: ViewSet, keys: readonly string[]): Promise<ReadonlyMap<string, StoredView>> {
    if (keys.length === 0) return new Map()
    const values = await this.#scripts.readViews(set, keys)
    return new Map(
      keys.flatMap((key, index) => {
        const bytes = values[index]
        return bytes == null ? [] : [[key, decodeView(bytes)] as const]
      }),
    )
  }

  async commit(set: ViewSet, commit: ViewCommit): Promise<CommitOutcome> {
    const { source, from, to, changes, parked } = commit
    const items: ScriptItem[] = [
      set.generation,
      String(this.#now()),
      formatPartition(source),
      from === undefined ? '' : String(from),
      String(to),
      parked.flatMap(({ position, parkedAtMs }) => [String(parkedAtMs), encodePosition(position)]),
      parked.flatMap(({ position, error }) => [encodePosition(position), error]),
      ...changeItems(changes, set.projection.indexNames),
    ]
    return String(await this.#scripts.runOn(commitViewsScript, set, items)) as CommitOutcome
  }

  async find(
    projection: StoredProjection,
    key: string,
    lookup: ViewLookup = {},
  ): Promise<Lookup<StoredView | undefined>> {
    const reply = await this.#scripts.run(viewScript, projection, [...lookupItems(lookup), key])
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
    const reply = await this.#scripts.run(pageScript, projection, items)
    return found(reply as [Buffer, ...PageReply], (page) => decodePage(page, query, this.#now()))
  }

  async expire(set: ViewSet, nowMs: number, limit: number): Promise<number> {
    const items = [String(nowMs), encodeTime(nowMs), limit]
    return (await this.#scripts.runOn(expireScript, set, items)) as number
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
