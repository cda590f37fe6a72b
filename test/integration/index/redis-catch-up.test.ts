import { expect, test } from 'vitest'

import {
  catchUp,
  HeadDeletedError,
  type IndexEntry,
  IndexMismatchError,
  type LogPiece,
  type RedisConnection,
} from '#redis-index'

import {
  entry,
  held,
  idsOf,
  indexOf,
  keysOf,
  openRedis,
  order,
  placesOf,
  rememberedIdsOf,
  wholeLog,
} from '../../support/index/redis-index.ts'
import { testStack, uniqueName } from '../../support/stack/stack.ts'

const connect = () => openRedis(testStack().redisUrl)
const owner = { ...wholeLog, topicId: 'topic-1', producerId: 1n, epoch: 1 }

/** Events of many streams and a few long ones, with a marker after every hundredth. */
function logOf(count: number): { readonly events: IndexEntry[]; readonly endOffset: number } {
  const versions = new Map<string, number>()
  const events = Array.from({ length: count }, (_, at) => {
    const id = at % 3 === 0 ? `long${at % 2}` : `short${at}`
    const version = (versions.get(id) ?? 0) + 1
    versions.set(id, version)
    return entry(id, version, at + Math.floor(at / 100))
  })
  return { events, endOffset: (events.at(-1)?.offset ?? -1) + 2 }
}

const reader = (
  events: readonly IndexEntry[],
  endOffset: number,
  onPiece: (at: number) => Promise<void> | void = () => undefined,
) =>
  async function* (fromOffset: number): AsyncGenerator<LogPiece> {
    const rest = events.filter(({ offset }) => offset >= fromOffset && offset < endOffset)
    for (let at = 0; at < rest.length; at += 150) {
      await onPiece(at)
      const piece = rest.slice(at, at + 150)
      yield { entries: piece, nextOffset: (piece.at(-1)?.offset ?? 0) + 1 }
    }
    yield { entries: [], nextOffset: endOffset }
  }

/** All keys of the partition, as stored. */
async function kept(redis: RedisConnection): Promise<Record<string, unknown>> {
  const tag = `{${redis.keyPrefix}:eventstore.order:3}`
  const hashes = await Promise.all(
    ['guard', 'streams', 'chunks'].map(async (name) => {
      const flat = (await redis.call('HGETALL', [`${tag}${name}`])) as Buffer[]
      const fields = flat.flatMap((field, at) =>
        at % 2 === 0 ? [[field.toString(), flat[at + 1]?.toString('hex')] as const] : [],
      )
      return [name, Object.fromEntries(fields)] as const
    }),
  )
  return Object.fromEntries(hashes)
}

test('a rebuild and many small commits lead to the same index', async () => {
  const { events, endOffset } = logOf(5_000)
  const [one, two] = [await connect(), await connect()]
  await catchUp(indexOf(one), { ...owner, endOffset, read: reader(events, endOffset) })

  const index = indexOf(two)
  let guard = held(await index.claim({ ...owner, nextOffset: 0 }))
  for (let at = 0; at < events.length; at += 7) {
    const next = events[at + 7]?.offset ?? endOffset
    guard = held(await index.commit(guard, events.slice(at, at + 7), next))
  }
  expect(await kept(two)).toEqual(await kept(one))

  const asks = events.map((event) => ({ streamId: event.streamId, places: placesOf([event]) }))
  const checked = held(await indexOf(one).check(guard, asks))
  expect(checked.map(({ places }) => places)).toEqual(asks.map(({ places }) => places))
  expect(held(await index.check(guard, asks))).toEqual(checked)
  expect(await rememberedIdsOf(index, guard)).toEqual(idsOf(events))
  expect(await rememberedIdsOf(indexOf(one), guard)).toEqual(idsOf(events))
})

test('a rebuild remembers the ids of the last offsets, as many as the owner asks for', async () => {
  const { events, endOffset } = logOf(12_000)
  const index = indexOf(await connect(), { rememberedIdsMax: 3_000 })
  const guard = await catchUp(index, { ...owner, endOffset, read: reader(events, endOffset) })
  expect(await rememberedIdsOf(index, guard)).toEqual(
    idsOf(events.filter(({ offset }) => offset >= endOffset - 3_000)),
  )
})

test('a catch-up applies new events under the new epoch, and may be repeated', async () => {
  const redis = await connect()
  const { events, endOffset } = logOf(3_000)
  const index = indexOf(redis)
  const half = events[1_500]?.offset ?? 0
  await catchUp(index, { ...owner, endOffset: half, read: reader(events, half) })
  const asked: number[] = []
  const read = (fromOffset: number) => {
    asked.push(fromOffset)
    return reader(events, endOffset)(fromOffset)
  }
  const guard = await catchUp(index, { ...owner, epoch: 2, endOffset, read })
  const after = await kept(redis)
  expect(await catchUp(index, { ...owner, epoch: 2, endOffset, read })).toEqual(guard)
  expect(await kept(redis)).toEqual(after)
  expect(asked).toEqual([half, endOffset])
  expect(guard).toEqual({ topicId: 'topic-1', producerId: 1n, epoch: 2, nextOffset: endOffset })
})

test('a log without its head is refused until the deletion is accepted; then streams continue from their remaining events', async () => {
  const redis = await connect()
  const index = indexOf(redis)
  const streams = 7
  const end = 3_000
  const all: readonly IndexEntry[] = Array.from({ length: end }, (_, offset) =>
    entry(`s${offset % streams}`, 1 + Math.floor(offset / streams), offset),
  )
  const startOffset = 1_500
  const headless = { ...owner, startOffset, endOffset: end, read: reader(all.slice(startOffset), end) }
  await expect(catchUp(index, headless)).rejects.toThrow('starts at offset 1500')
  await expect(catchUp(index, headless)).rejects.toThrow(HeadDeletedError)

  const guard = await catchUp(index, { ...headless, acceptedStart: startOffset })
  const last = all.findLast(({ streamId }) => streamId === order('s3'))
  expect(await index.info(guard, order('s3'))).toMatchObject({ version: last?.version })
  const left = all.slice(startOffset).filter(({ streamId }) => streamId === order('s3'))
  const range = [left[0]?.version ?? 0, last?.version ?? 0] as const
  const read = held(await index.stream(guard, order('s3'), { from: range[0], to: range[1] }))
  expect(read.places).toEqual(placesOf(left))
  const next = entry('s3', (last?.version ?? 0) + 1, end)
  const after = held(await index.commit(guard, [next], end + 1))
  expect(await index.info(after, order('s3'))).toMatchObject({ version: next.version })
  const places = placesOf([...left.slice(-1), next])
  expect(held(await index.check(after, [{ streamId: order('s3'), places }]))).toEqual([
    { version: next.version, places },
  ])
})

test('an index that is not behind the head of its log needs no acceptance', async () => {
  const redis = await connect()
  const { events, endOffset } = logOf(1_000)
  const index = indexOf(redis)
  await catchUp(index, { ...owner, endOffset, read: reader(events, endOffset) })
  const guard = await catchUp(index, {
    ...{ ...owner, epoch: 2, startOffset: endOffset - 10, endOffset },
    read: reader(events.slice(-10), endOffset),
  })
  expect(guard.nextOffset).toBe(endOffset)
})

test('an index of a recreated topic, or one longer than the log, is dropped and rebuilt', async () => {
  const redis = await connect()
  const { events, endOffset } = logOf(2_000)
  const index = indexOf(redis)
  await catchUp(index, { ...owner, endOffset, read: reader(events, endOffset) })

  const shorter = events[500]?.offset ?? 0
  const guard = await catchUp(index, { ...owner, endOffset: shorter, read: reader(events, shorter) })
  expect(await index.info(guard, order('long0'))).toMatchObject({ version: 84 })
  expect(await index.info(guard, order('short1999'))).toBeUndefined()

  const other = [entry(uniqueName('x'), 1, 0)]
  await catchUp(index, { ...owner, topicId: 'topic-2', endOffset: 600, read: reader(other, 600) })
  const streams: string[] = []
  await index.forEachStream((streamId) => void streams.push(streamId))
  expect(streams).toEqual([other[0]?.streamId])
  expect((await keysOf(redis)).filter((key) => key.includes('}segment:'))).toHaveLength(1)
})

test('a catch-up during which Redis is emptied restarts and completes', async () => {
  const redis = await connect()
  const { events, endOffset } = logOf(6_000)
  let emptied = 0
  const read = reader(events, endOffset, async (at) => {
    if (at < 4_500 || emptied > 0) return
    emptied += 1
    await redis.call('UNLINK', await keysOf(redis))
  })
  const guard = await catchUp(indexOf(redis), { ...owner, endOffset, read })
  const [one, two] = [await kept(redis), await connect()]
  await catchUp(indexOf(two), { ...owner, endOffset, read: reader(events, endOffset) })
  expect(emptied).toBe(1)
  expect(guard.nextOffset).toBe(endOffset)
  expect(one).toEqual(await kept(two))
})

test('an index that does not fit its log is rebuilt; a log with a gap is reported, not indexed', async () => {
  const redis = await connect()
  const index = indexOf(redis)
  const log = [entry('a', 1, 0), entry('a', 2, 1), entry('a', 3, 2)]
  const guard = held(await index.claim({ ...owner, nextOffset: 0 }))
  // As if the event at offset 1 was never applied.
  held(await index.commit(guard, log.slice(0, 1), 2))
  const rebuilt = await catchUp(index, { ...owner, endOffset: 3, read: reader(log, 3) })
  expect(await index.info(rebuilt, order('a'))).toMatchObject({ version: 3 })

  const broken = [entry('b', 1, 3), entry('b', 3, 4)]
  await expect(
    catchUp(index, { ...owner, endOffset: 5, read: reader([...log, ...broken], 5) }),
  ).rejects.toThrow(IndexMismatchError)
})
