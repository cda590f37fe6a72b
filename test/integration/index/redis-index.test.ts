import { expect, test } from 'vitest'

import { newEventId, type Version } from '#domain'
import { type Guard, type IndexEntry, IndexMismatchError, SnapshotCheckpoint } from '#redis-index'

import {
  claimed,
  entries,
  entry,
  held,
  idsOf,
  indexOf,
  keysOf,
  openRedis,
  order,
  placesOf,
  rememberedIdsOf,
  start,
} from '../../support/index/redis-index.ts'
import { testStack } from '../../support/stack/stack.ts'

const connect = () => openRedis(testStack().redisUrl)
const snapshot = (version: number, stateVersion = 1) => ({
  version: version as Version,
  stateVersion,
  timestampMs: 5,
  state: Buffer.from(`state ${version}`),
})

test('an empty index has no guard and can be claimed at offset 0 only', async () => {
  const index = indexOf(await connect())
  expect(await index.guard()).toBeUndefined()
  expect(await index.claim({ ...start, nextOffset: 4 })).toBe('guard-lost')
  expect(await index.claim(start)).toEqual(start)
  expect(await index.guard()).toEqual(start)
})

test('a new owner claims the index where the previous one left it, and the previous one loses it', async () => {
  const { index, guard } = await claimed(await connect())
  const after = held(await index.commit(guard, [entry('a', 1, 0)], 1))
  const next: Guard = { ...after, producerId: 1n, epoch: 2 }
  expect(await index.claim({ ...next, nextOffset: 0 })).toBe('guard-lost')
  expect(await index.claim({ ...next, topicId: 'topic-2' })).toBe('guard-lost')
  expect(await index.claim(next, { ...next, epoch: next.epoch + 1 })).toBe('guard-lost')
  expect(await index.claim(next)).toBe('guard-lost')
  expect(held(await index.claim(next, guard))).toEqual(next)
  expect(await index.check(after, [])).toBe('guard-lost')
  expect(await index.commit(after, [entry('a', 2, 1)], 2)).toBe('guard-lost')
  expect(held(await index.check(next, [{ streamId: order('a'), places: [] }]))).toEqual([
    { version: 1, places: [] },
  ])
})

test('a commit sent twice is applied once, and the guard shows it', async () => {
  const { index, guard } = await claimed(await connect())
  const events = entries('a', 1, 3, 0)
  const answers = await Promise.all([index.commit(guard, events, 3), index.commit(guard, events, 3)])
  expect(answers).toEqual([{ ...guard, nextOffset: 3 }, 'guard-lost'])
  expect(await index.guard()).toEqual({ ...guard, nextOffset: 3 })
  const after = { ...guard, nextOffset: 3 }
  expect(held(await index.stream(after, order('a'))).places).toEqual(placesOf(events))
  expect(await rememberedIdsOf(index, after)).toEqual(idsOf(events))
})

test('ids do not count if the guard is lost while they are read', async () => {
  const { index, guard } = await claimed(await connect())
  // One in each of twelve segments: more than are asked for at a time.
  const events = Array.from({ length: 12 }, (_, n) => entry('a', n + 1, n * 4_096))
  const after = held(await index.commit(guard, events, 11 * 4_096 + 1))
  const reading = index.rememberedIds(after)
  expect((await reading.next()).value).not.toBe('guard-lost')
  const next: Guard = { ...after, producerId: 1n, epoch: 2 }
  expect(held(await index.claim(next, guard))).toEqual(next)
  expect((await Array.fromAsync(reading)).at(-1)).toBe('guard-lost')
})

test('commits may be pipelined without waiting for answers', async () => {
  const { index, guard } = await claimed(await connect())
  const answers = await Promise.all(
    [0, 1, 2].map((offset) =>
      index.commit({ ...guard, nextOffset: offset }, [entry('a', offset + 1, offset)], offset + 1),
    ),
  )
  expect(answers.map((answer) => held(answer).nextOffset)).toEqual([1, 2, 3])
})

test.each([
  { what: 'a gap', version: 4, offset: 2 },
  { what: 'a version twice', version: 2, offset: 2 },
  { what: 'a decreasing offset', version: 3, offset: 1 },
])('$what is refused, changes nothing, and leaves the index to be rebuilt', async ({ version, offset }) => {
  const redis = await connect()
  const { index, guard } = await claimed(redis)
  const after = held(await index.commit(guard, entries('a', 1, 2, 0), 2))
  const commit = index.commit(after, [entry('b', 1, 2), entry('a', version, offset)], 4)
  await expect(commit).rejects.toThrow(IndexMismatchError)
  await expect(commit).rejects.toThrow(
    `eventstore.order[3]: stream order.a is at version 2 in the index, version ${version} at offset ${offset}`,
  )
  expect(await index.guard()).toBeUndefined()
  const streams: [string, number][] = []
  await index.forEachStream((streamId, { version: at }) => void streams.push([streamId, at]))
  expect(streams).toEqual([['order.a', 2]])
})

test('check, commit and readers detect that Redis was emptied or restored from an older copy', async () => {
  const redis = await connect()
  const { index, guard } = await claimed(redis)
  const older = held(await index.commit(guard, entries('a', 1, 2, 0), 2))
  const copies = await Promise.all(
    (await keysOf(redis)).map(async (key) => [key, (await redis.call('DUMP', [key])) as Buffer] as const),
  )
  const newer = held(await index.commit(older, entries('a', 3, 3, 2), 3))
  const lost = async () => [
    await index.check(newer, []),
    await index.commit(newer, [], 4),
    await index.stream(newer, order('a')),
    await index.info(newer, order('a')),
    ...(await Array.fromAsync(index.rememberedIds(newer))),
  ]
  for (const [key, value] of copies) await redis.call('RESTORE', [key, 0, value, 'REPLACE'])
  expect(new Set(await lost())).toEqual(new Set(['guard-lost']))
  expect(await index.guard()).toEqual(older)
  await redis.call('UNLINK', await keysOf(redis))
  expect(new Set(await lost())).toEqual(new Set(['guard-lost']))
  expect(await index.guard()).toBeUndefined()
})

test('a reader whose guard is older than the owner’s last commit is served', async () => {
  const { index, guard } = await claimed(await connect())
  const events = entries('a', 1, 3, 0)
  const before = held(await index.commit(guard, events.slice(0, 2), 2))
  await index.commit(before, events.slice(2), 3)
  expect(held(await index.stream(before, order('a'))).version).toBe(3)
  expect(await rememberedIdsOf(index, before)).toEqual(idsOf(events))
})

test('a place counts only in the stream that has its event: version and offset decide', async () => {
  const { index, guard } = await claimed(await connect())
  const events = [entry('a', 1, 0), entry('b', 1, 1), entry('b', 2, 2)]
  const after = held(await index.commit(guard, events, 3))
  const wrong = [
    { version: 2 as Version, offset: 1 },
    { version: 1 as Version, offset: 2 },
    { version: 3 as Version, offset: 3 },
  ]
  const places = [...placesOf(events), ...wrong]
  const asks = ['a', 'b', 'c'].map((id) => ({ streamId: order(id), places }))
  expect(held(await index.check(after, asks))).toEqual([
    { version: 1, places: placesOf(events.slice(0, 1)) },
    { version: 2, places: placesOf(events.slice(1)) },
    { version: 0, places: [] },
  ])
})

test('one id in two streams is remembered with both places', async () => {
  const { index, guard } = await claimed(await connect())
  const eventId = newEventId()
  const events = ['plumless', 'buckeroo'].map((name, offset) => entry(name, 1, offset, { eventId }))
  const after = held(await index.commit(guard, events, 2))
  expect(await rememberedIdsOf(index, after)).toEqual(idsOf(events))
})

test('terms are found by offset, up to the end of the indexed log, and for this topic only', async () => {
  const { index, guard } = await claimed(await connect())
  const starts = [
    { offset: 0, producerId: 7n, epoch: 0 },
    { offset: 5, producerId: 7n, epoch: 1 },
    { offset: 9, producerId: 2n ** 53n + 1n, epoch: 0 },
  ]
  held(await index.commit(guard, [], 12, { starts }))
  const at = (offset: number) => index.termBefore(guard.topicId, offset)
  expect(await at(0)).toBeUndefined()
  expect(await at(1)).toEqual({ producerId: 7n, epoch: 0 })
  expect(await at(5)).toEqual({ producerId: 7n, epoch: 0 })
  expect(await at(6)).toEqual({ producerId: 7n, epoch: 1 })
  expect(await at(12)).toEqual({ producerId: 2n ** 53n + 1n, epoch: 0 })
  expect(await at(13)).toBeUndefined()
  expect(await index.termBefore('another-topic', 6)).toBeUndefined()
  await index.drop()
  expect(await at(6)).toBeUndefined()
})

test('of more terms than an index lists, the latest are kept', async () => {
  const { index, guard } = await claimed(await connect())
  const starts = Array.from({ length: 10_050 }, (_, offset) => ({ offset, producerId: 1n, epoch: offset }))
  held(await index.commit(guard, [], 20_000, { starts }))
  expect(await index.termBefore(guard.topicId, 50)).toBeUndefined()
  expect(await index.termBefore(guard.topicId, 51)).toEqual({ producerId: 1n, epoch: 50 })
  expect(await index.termBefore(guard.topicId, 20_000)).toEqual({ producerId: 1n, epoch: 10_049 })
})

test.each([
  { what: 'of another format', change: ['format', '1'] },
  { what: 'with a malformed term', change: ['term', 'x', 'format', ''] },
])('an index $what counts as missing, and can be claimed when it is dropped', async ({ change }) => {
  const redis = await connect()
  const { index, guard } = await claimed(redis)
  const key = (await keysOf(redis)).find((name) => name.endsWith('guard')) ?? ''
  await redis.call('HSET', [key, ...change])
  await redis.call('HSET', [key.replace('guard', 'ids:0'), 'name', 'id'])
  expect(await index.guard()).toBeUndefined()
  expect(await index.check(guard, [])).toBe('guard-lost')
  expect(await index.commit(guard, [entry('a', 1, 0)], 1)).toBe('guard-lost')
  expect(await index.dropSeen(undefined)).toBe('dropped')
  expect(await keysOf(redis)).toEqual([])
  expect(held(await index.claim(guard))).toEqual(guard)
})

test('an accepted start applies to its topic only, and survives a rebuild', async () => {
  const { index, guard } = await claimed(await connect())
  expect(await index.acceptedStart(guard.topicId)).toBe(0)
  await index.acceptDeletedBefore(guard.topicId, 42)
  await index.drop()
  expect(await index.acceptedStart(guard.topicId)).toBe(42)
  expect(await index.acceptedStart('another-topic')).toBe(0)
})

test('Lua packs and reads offset deltas like TypeScript', async () => {
  const run = await claimed(await connect())
  let { guard } = run
  const all: IndexEntry[] = []
  for (const power of [0, 1, 6, 7, 8, 13, 14, 15, 21, 28, 31, 32, 33, 45]) {
    for (const distance of [2 ** power - 1, 2 ** power, 2 ** power + 1].filter((steps) => steps > 0)) {
      const event = entry('a', all.length + 1, guard.nextOffset - 1 + distance)
      all.push(event)
      guard = held(await run.index.commit(guard, [event], event.offset + 1))
    }
  }
  const places = all.map(({ version, offset }) => ({ version, offset }))
  expect(held(await run.index.stream(guard, order('a'))).places).toEqual(places)
  const ask = { streamId: order('a'), places }
  expect(held(await run.index.check(guard, [ask]))).toEqual([{ version: all.length, places }])
  expect(await rememberedIdsOf(run.index, guard)).toEqual(idsOf(all).slice(-1))
})

test('the ids of the last offsets are remembered, this many and less than a segment more', async () => {
  const redis = await connect()
  const run = await claimed(redis, { rememberedIdsMax: 5_000 })
  let { guard } = run
  const all: IndexEntry[] = []
  for (let offset = 0; offset < 30_000; offset += 1_000) {
    const events = entries('a', offset + 1, offset + 1_000, offset)
    guard = held(await run.index.commit(guard, events, offset + 1_000))
    all.push(...events)
    const remembered = await rememberedIdsOf(run.index, guard)
    expect(remembered).toEqual(idsOf(all.slice(-remembered.length)))
    expect(remembered.length).toBeGreaterThanOrEqual(Math.min(5_000, all.length))
    expect(remembered.length).toBeLessThan(5_000 + 4_096)
  }
  const names = (await keysOf(redis)).flatMap((key) => /}segment:(\d+)$/.exec(key)?.[1] ?? [])
  expect(names.sort()).toEqual(['6', '7'])
  const set = (await redis.call('SMEMBERS', [`{${redis.keyPrefix}:eventstore.order:3}segments`])) as Buffer[]
  expect(set.map(String).sort()).toEqual(names)
})

test('the ids of a rebuild start where its caller says', async () => {
  const { index, guard } = await claimed(await connect())
  const events = entries('a', 1, 9_000, 0)
  const after = held(await index.commit(guard, events, 9_000, { idsFrom: 4_000 }))
  expect(await rememberedIdsOf(index, after)).toEqual(idsOf(events.slice(4_000)))
})

test('one check and one commit take more streams and ids than one Lua call does', async () => {
  const { index, guard } = await claimed(await connect())
  const events = Array.from({ length: 9_000 }, (_, offset) => entry(`s${offset}`, 1, offset))
  const after = held(await index.commit(guard, events, 9_000))
  const asks = events.map((event) => ({ streamId: event.streamId, places: placesOf([event]) }))
  expect(held(await index.check(after, asks))).toEqual(asks.map(({ places }) => ({ version: 1, places })))
  expect(await rememberedIdsOf(index, after)).toEqual(idsOf(events))
})

test('every stream is visited, and drop removes everything of the partition and nothing of others', async () => {
  const redis = await connect()
  const { index, guard } = await claimed(redis)
  const other = indexOf(redis, { partition: 4 })
  held(await other.commit(held(await other.claim(start)), entries('z', 1, 1, 0), 1))
  const events = Array.from({ length: 2_000 }, (_, offset) => entry(`s${offset}`, 1, offset))
  const after = held(await index.commit(guard, events, 2_000))
  expect(held(await index.stream(after, order('s7'))).places).toHaveLength(1)
  await index.saveSnapshot(order('s7'), snapshot(1))
  expect(await new SnapshotCheckpoint(redis, 'eventstore.order', 3).replace('', 'so far')).toBe(true)
  const seen = new Set<string>()
  await index.forEachStream((streamId, { version }) => {
    expect(version).toBe(1)
    seen.add(streamId)
  })
  expect(seen).toEqual(new Set(events.map(({ streamId }) => streamId)))

  await index.drop()
  const left = (await keysOf(redis)).map((key) => key.split(':').slice(2).join(':'))
  expect(left).toEqual(['4}guard', '4}segment:0', '4}segments', '4}streams'])
})

test('an index that has advanced or changed its owner since it was read is not dropped', async () => {
  const redis = await connect()
  const { index, guard } = await claimed(redis)
  const after = held(await index.commit(guard, [entry('a', 1, 0)], 1))
  const later = held(await index.claim({ ...after, producerId: 1n, epoch: 2 }, after))
  for (const seen of [undefined, guard, after]) expect(await index.dropSeen(seen)).toBe('guard-lost')
  expect(held(await index.check(later, [{ streamId: order('a'), places: [] }]))).toEqual([
    { version: 1, places: [] },
  ])
  expect(await index.dropSeen(later)).toBe('dropped')
  expect(await keysOf(redis)).toEqual([])
  expect(await index.dropSeen(undefined)).toBe('dropped')
})

test('the checkpoint of snapshots changes only if it still has the value that was read', async () => {
  const redis = await connect()
  const checkpoint = new SnapshotCheckpoint(redis, 'eventstore.order', 3)
  expect(await checkpoint.read()).toBe('')
  expect(await checkpoint.replace('', 'one')).toBe(true)
  expect(await checkpoint.replace('', 'two')).toBe(false)
  expect(await checkpoint.replace('other', 'two')).toBe(false)
  expect(await checkpoint.read()).toBe('one')
  expect(await checkpoint.replace('one', 'two')).toBe(true)
  expect(await checkpoint.read()).toBe('two')
  expect(await new SnapshotCheckpoint(redis, 'eventstore.order', 4).read()).toBe('')
})

test('an append to a long stream costs no more than one to a short stream', async () => {
  const redis = await connect()
  const run = await claimed(redis)
  let { guard } = run
  for (let offset = 0; offset < 100_000; offset += 1_000) {
    const events = entries('a', offset + 1, offset + 1_000, offset)
    guard = held(await run.index.commit(guard, events, offset + 1_000))
  }
  const key = `{${redis.keyPrefix}:eventstore.order:3}streams`
  expect(await redis.call('HSTRLEN', [key, 'a'])).toBeLessThan(22 + 6 + 128)
  const last = held(await run.index.stream(guard, order('a'), { from: 99_990, to: 100_000 }))
  expect(last.places).toEqual(placesFrom(99_990, 100_000))

  await run.index.saveSnapshot(order('a'), snapshot(5_000))
  for (const [from, stateVersion] of [
    [1, 0],
    [5_001, 1],
  ] as const) {
    const { places } = held(await run.index.stream(guard, order('a'), { stateVersion }))
    expect(places).toEqual(placesFrom(from, from + 999))
  }
})

/** The places of versions when no other stream and no marker takes an offset. */
const placesFrom = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ version: from + index, offset: from + index - 1 }))
