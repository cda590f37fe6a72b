/**
 * The cost of check, commit, a cold load, a take-over and a rebuild in Redis, and the memory of a stream and an event:
 * `node bench/redis-index.ts redis://127.0.0.1:6379`. This Redis is emptied.
 */
import { randomUUID } from 'node:crypto'

import { newEventId, type StreamId, type Version } from '#domain'
import { catchUp, connectRedis, type Guard, type IndexEntry, PartitionIndex } from '#redis-index'

const url = process.argv[2]
if (url === undefined) throw new Error('usage: node bench/redis-index.ts <redis url>; this Redis is emptied')
const redis = connectRedis({ url, keyPrefix: 'bench', commandTimeoutMs: 30_000 })
await redis.ready()

const topicId = 'bench-topic-id'

const indexOf = (partition: number): PartitionIndex =>
  new PartitionIndex(redis, {
    topic: 'eventstore.order',
    partition,
    aggregateType: 'order',
    snapshotTtlSeconds: 3_600,
    rememberedIdsMax: 300_000,
  })

const entry = (streamId: StreamId, version: number, offset: number): IndexEntry => ({
  streamId,
  version: version as Version,
  offset,
  eventId: newEventId(),
  timestampMs: Date.now(),
})
const newStreamId = (): StreamId => `order.${randomUUID()}` as StreamId
const held = <T>(answer: 'guard-lost' | T): T => {
  if (answer === 'guard-lost') throw new Error('the guard was lost')
  return answer
}
// eslint-disable-next-line @typescript-eslint/require-await -- the pieces are there already
async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
const round = (value: number): number => Math.round(value * 100) / 100

/** CPU time that Redis has used, in microseconds, so that other load on the machine does not count. */
async function redisCpuUs(): Promise<number> {
  const stats = String(await redis.call('INFO', ['cpu']))
  return [...stats.matchAll(/used_cpu_(?:sys|user):([\d.]+)/g)].reduce(
    (sum, [, s]) => sum + Number(s) * 1e6,
    0,
  )
}

async function usedMemory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(String(await redis.call('INFO', ['memory'])))?.[1])
}

async function measureRounds(appends: number): Promise<void> {
  await redis.call('FLUSHALL', ['SYNC'])
  const index = indexOf(0)
  let guard: Guard = held(await index.claim({ topicId, producerId: 1n, epoch: 1, nextOffset: 0 }))
  const rounds = Math.max(50, Math.min(2_000, Math.floor(100_000 / appends)))
  const cpuBefore = await redisCpuUs()
  const times = { check: 0, commit: 0 }
  for (let done = 0; done < rounds; done += 1) {
    const entries = Array.from({ length: appends }, (_, i) => entry(newStreamId(), 1, guard.nextOffset + i))
    const started = performance.now()
    held(
      await index.check(
        guard,
        entries.map(({ streamId }) => ({ streamId, places: [] })),
      ),
    )
    const checked = performance.now()
    guard = held(await index.commit(guard, entries, guard.nextOffset + appends))
    times.check += checked - started
    times.commit += performance.now() - checked
  }
  const perAppend = (ms: number) => round((ms * 1_000) / rounds / appends)
  console.log(
    `${appends} appends a batch: check ${round(times.check / rounds)} ms, commit ${round(times.commit / rounds)} ms; ` +
      `an append ${perAppend(times.check)} + ${perAppend(times.commit)} µs, ${perAppend(((await redisCpuUs()) - cpuBefore) / 1_000)} µs of Redis's processor; ` +
      `${Math.round((rounds * appends * 1_000) / (times.check + times.commit))} appends/s`,
  )
}

async function measureLoad(concurrency: number): Promise<void> {
  await redis.call('FLUSHALL', ['SYNC'])
  const index = indexOf(0)
  let guard = held(await index.claim({ topicId, producerId: 1n, epoch: 1, nextOffset: 0 }))
  const streams = Array.from({ length: 100 }, newStreamId)
  const entries = streams.flatMap((id, s) =>
    Array.from({ length: 10 }, (_, i) => entry(id, i + 1, s * 10 + i)),
  )
  guard = held(await index.commit(guard, entries, entries.length))
  const times: number[] = []
  const started = performance.now()
  const load = async () => {
    while (performance.now() - started < 2_000) {
      const before = performance.now()
      await index.stream(guard, streams[times.length % 100] as StreamId)
      times.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, load))
  times.sort((a, b) => a - b)
  console.log(
    `places of 10 events by ${concurrency} callers: ${Math.round(times.length / 2)}/s, p50 ${round(times[times.length >> 1] ?? 0)} ms, ` +
      `p99 ${round(times[Math.floor(times.length * 0.99)] ?? 0)} ms`,
  )
}

/** Reads the ids of a full window, as a new owner does. */
async function measureTakeOver(): Promise<void> {
  await redis.call('FLUSHALL', ['SYNC'])
  const index = indexOf(0)
  let guard = held(await index.claim({ topicId, producerId: 1n, epoch: 1, nextOffset: 0 }))
  for (let offset = 0; offset < index.rememberedIdsMax; offset += 1_000) {
    const entries = Array.from({ length: 1_000 }, (_, i) => entry(newStreamId(), 1, offset + i))
    guard = held(await index.commit(guard, entries, offset + entries.length))
  }
  const started = performance.now()
  let ids = 0
  for await (const stored of index.rememberedIds(guard)) ids += held(stored).count
  console.log(`${ids} remembered ids read in ${round(performance.now() - started)} ms`)
}

async function measureHistory(): Promise<void> {
  await redis.call('FLUSHALL', ['SYNC'])
  const index = indexOf(0)
  const guard = held(await index.claim({ topicId, producerId: 1n, epoch: 1, nextOffset: 0 }))
  const streamId = newStreamId()
  const entries = Array.from({ length: 1_000 }, (_, i) => entry(streamId, i + 1, i))
  const after = held(await index.commit(guard, entries, 1_000))
  const times: number[] = []
  for (let i = 0; i < 500; i += 1) {
    const before = performance.now()
    if (held(await index.stream(after, streamId)).places.length !== 1_000)
      throw new Error('an event is missing')
    times.push(performance.now() - before)
  }
  times.sort((a, b) => a - b)
  console.log(`places of 1,000 events: p50 ${round(times[250] ?? 0)} ms`)
}

function* log(events: number, eventsPerStream: number) {
  let entries: IndexEntry[] = []
  for (let offset = 0; offset < events; offset += eventsPerStream) {
    const streamId = newStreamId()
    for (let i = 0; i < eventsPerStream; i += 1) entries.push(entry(streamId, i + 1, offset + i))
    if (entries.length < 1_000) continue
    yield { entries, nextOffset: offset + eventsPerStream }
    entries = []
  }
  yield { entries, nextOffset: events }
}

async function measureRebuild(partitions: number, eventsPerPartition: number, eventsPerStream: number) {
  await redis.call('FLUSHALL', ['SYNC'])
  const cpuBefore = await redisCpuUs()
  // The log is built beforehand: its reader is measured elsewhere.
  const logs = Array.from({ length: partitions }, () => [...log(eventsPerPartition, eventsPerStream)])
  const ownBefore = process.cpuUsage()
  const started = performance.now()
  await Promise.all(
    logs.map((pieces, partition) =>
      catchUp(indexOf(partition), {
        topicId,
        producerId: 1n,
        epoch: 1,
        isLastTerm: () => Promise.resolve(true),
        startOffset: 0,
        acceptedStart: 0,
        endOffset: eventsPerPartition,
        read: () => each(pieces),
      }),
    ),
  )
  const seconds = (performance.now() - started) / 1_000
  const own = process.cpuUsage(ownBefore)
  const events = partitions * eventsPerPartition
  console.log(
    `rebuild of ${partitions} partitions, ${events} events, ${eventsPerStream} a stream: ${Math.round(events / seconds)} events/s; ` +
      `${round(((await redisCpuUs()) - cpuBefore) / events)} µs of Redis's processor an event, ${round((own.user + own.system) / events)} µs of this process's`,
  )
}

/** Versions 1 to `eventsPerStream` of all streams, version by version, in the order in which they would be appended. */
async function measureMemory(streams: number, eventsPerStream: number): Promise<void> {
  await redis.call('FLUSHALL', ['SYNC'])
  const index = indexOf(0)
  const before = await usedMemory()
  let guard = held(await index.claim({ topicId, producerId: 1n, epoch: 1, nextOffset: 0 }))
  const ids = Array.from({ length: streams }, newStreamId)
  for (let version = 1; version <= eventsPerStream; version += 1) {
    for (let from = 0; from < streams; from += 1_000) {
      const entries = ids.slice(from, from + 1_000).map((id, i) => entry(id, version, guard.nextOffset + i))
      guard = held(await index.commit(guard, entries, guard.nextOffset + entries.length))
    }
  }
  const used = (await usedMemory()) - before
  const events = streams * eventsPerStream
  const { ids: remembered, bytes } = await idsMemory()
  console.log(
    `${streams} streams of ${eventsPerStream} events: ${round(used / 1e6)} MB, ${round(used / streams)} bytes a stream; ` +
      `its record ${round((await bytesOf('streams')) / streams)} bytes, a remembered id ` +
      `${round(bytes / remembered)} bytes (${remembered} of them), ` +
      `full chunks ${round((await bytesOf('chunks')) / events)} bytes an event`,
  )
}

const keyOf = (name: string): string => `{bench:eventstore.order:0}${name}`

const bytesOf = async (name: string): Promise<number> =>
  Number(await redis.call('MEMORY', ['USAGE', keyOf(name), 'SAMPLES', 200]))

/** The remembered ids, and their memory in Redis. */
async function idsMemory(): Promise<{ readonly ids: number; readonly bytes: number }> {
  const index = indexOf(0)
  const guard = await index.guard()
  if (guard === undefined) throw new Error('there is no index')
  let ids = 0
  for await (const stored of index.rememberedIds(guard)) ids += held(stored).count
  let bytes = await bytesOf('segments')
  for (const segment of (await redis.call('SMEMBERS', [keyOf('segments')])) as Buffer[]) {
    bytes += await bytesOf(`segment:${segment.toString()}`)
  }
  return { ids, bytes }
}

for (const appends of [1, 16, 256, 1_000]) await measureRounds(appends)
for (const callers of [1, 64]) await measureLoad(callers)
await measureHistory()
await measureTakeOver()
await measureRebuild(8, 100_000, 1)
await measureRebuild(8, 100_000, 10)
await measureMemory(200_000, 1)
await measureMemory(200_000, 10)
await measureMemory(2_000, 1_000)
await redis.call('FLUSHALL', ['SYNC'])
redis.close()
