/**
 * The cost of steps and reads of views in Redis, and the memory of a view:
 * `node bench/redis-view-store.ts redis://127.0.0.1:6379`. This Redis is emptied.
 */
import type { StoredProjection, ViewChange, ViewSet } from '#projections'
import { RedisViewStore } from '#projections-redis'
import { connectRedis } from '#redis-index'

const url = process.argv[2]
if (url === undefined)
  throw new Error('usage: node bench/redis-view-store.ts <redis url>; this Redis is emptied')
const redis = connectRedis({ url, keyPrefix: 'bench', commandTimeoutMs: 30_000 })
await redis.ready()
const store = new RedisViewStore(redis)

const source = { topic: 'eventstore.order', partition: 0 }
const json = JSON.stringify({ text: 'x'.repeat(139) })
const keyOf = (n: number): string => `customer-${String(n).padStart(27, '0')}`
const round = (value: number): number => Math.round(value * 100) / 100

interface Case {
  readonly what: string
  readonly views: number
  readonly changesEach: number
  readonly indexNames: readonly string[]
  readonly expires: boolean
}

async function serverInfo(section: string, field: RegExp): Promise<number> {
  const info = String(await redis.call('INFO', [section]))
  return [...info.matchAll(field)].reduce((sum, [, value]) => sum + Number(value), 0)
}
const cpuMs = () => serverInfo('cpu', /used_cpu_(?:sys|user):([\d.]+)/g).then((seconds) => seconds * 1_000)
const memory = () => serverInfo('memory', /used_memory:(\d+)/g)

/** Adds up the durations of calls by name: by the clock, and by Redis's CPU time, so that other load does not count. */
class Times {
  readonly #sums = new Map<string, { calls: number; ms: number; redisMs: number }>()

  async measure<Result>(name: string, call: () => Promise<Result>): Promise<Result> {
    const sum = this.#sums.get(name) ?? { calls: 0, ms: 0, redisMs: 0 }
    this.#sums.set(name, sum)
    const cpuBefore = await cpuMs()
    const started = performance.now()
    const result = await call()
    sum.ms += performance.now() - started
    sum.redisMs += (await cpuMs()) - cpuBefore
    sum.calls += 1
    return result
  }

  get means(): Record<string, string> {
    const means = [...this.#sums].map(([name, { calls, ms, redisMs }]) => [
      name,
      `${round(ms / calls)} ms, Redis ${round(redisMs / calls)}`,
    ])
    return Object.fromEntries(means) as Record<string, string>
  }
}

const changeOf = (key: string, expected: number, expires: boolean): ViewChange => ({
  key,
  expected,
  json,
  indexes: { spend: Math.random() * 10_000, lastSeen: Date.now() },
  changedAtMs: Date.now(),
  ...(expires && { expiresAtMs: Date.now() + 3_600_000 }),
})

/** One step of a projector, and the changelog's query after it. */
async function step(set: ViewSet, keys: readonly string[], from: number, times: Times, expires: boolean) {
  const views = await times.measure('read', () => store.views.read(set, keys))
  const changes = keys.map((key) => changeOf(key, views.get(key)?.revision ?? 0, expires))
  const at = { source, from: from === 0 ? undefined : from, to: from + keys.length }
  const outcome = await times.measure('commit', () => store.views.commit(set, { ...at, changes, parked: [] }))
  if (outcome !== 'committed') throw new Error(outcome)
  const unpublished = await times.measure('unpublished', () => store.outbox.unpublished(set, 1_000))
  await times.measure('markPublished', () => store.outbox.markPublished(set, unpublished))
}

async function readPages(projection: StoredProjection, times: Times): Promise<void> {
  let cursor: { readonly key: string; readonly figure?: number } | undefined
  for (let page = 0; page < 50; page += 1) {
    const query = { orderBy: 'spend', descending: true, limit: 100, ...(cursor && { cursor }) }
    const answer = await times.measure('page of 100', () => store.views.page(projection, query))
    cursor = answer.outcome === 'found' ? answer.found.next : undefined
    if (cursor === undefined) return
  }
}

async function measure({ what, views, changesEach, indexNames, expires }: Case): Promise<void> {
  await redis.call('FLUSHALL', ['SYNC'])
  const projection = { name: 'bench', indexNames }
  const set = { projection, generation: 'g1' }
  const definition = { id: 'g1', viewVersion: 1, indexNames, createdAtMs: 1, topicIds: {}, range: {} }
  await store.generations.add(projection, definition)
  const before = await memory()
  let offset = 0
  const run = async (keysOf: (n: number) => number, steps: number, times: Times) => {
    for (let done = 0; done < steps; done += 1) {
      const numbers = new Set(Array.from({ length: changesEach }, (_, n) => keysOf(offset + n)))
      await step(set, [...numbers].map(keyOf), offset, times, expires)
      offset += numbers.size
    }
  }
  await run((n) => n % views, Math.ceil(views / changesEach), new Times())
  const bytesEach = ((await memory()) - before) / views
  const times = new Times()
  await run(views > changesEach ? () => Math.floor(Math.random() * views) : (n) => n % views, 200, times)
  await readPages(projection, times)
  console.log(what, `(${Math.round(bytesEach)} bytes a view)`)
  console.table(times.means)
}

const many = { views: 100_000, changesEach: 1_000, expires: false }
await measure({ what: '100,000 views, 1,000 a step, no index', ...many, indexNames: [] })
await measure({ what: '… one index', ...many, indexNames: ['spend'] })
await measure({ what: '… two indexes', ...many, indexNames: ['spend', 'lastSeen'] })
await measure({ what: '… no index, a time to live', ...many, indexNames: [], expires: true })
await measure({
  what: '18 views, all of them in each step, one index',
  views: 18,
  changesEach: 18,
  indexNames: ['spend'],
  expires: false,
})
redis.close()
