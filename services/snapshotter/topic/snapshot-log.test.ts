import { expect, test } from 'vitest'

import { parseStreamId, parseVersion, type StreamId } from '#domain'
import { LogError, type LogRecord } from '#kafka'

import { SnapshotLog } from './snapshot-log.ts'
import type { EncodedSnapshot } from './snapshot-record.ts'

const stream = (id: string): StreamId => parseStreamId(`order.${id}`)

const snapshot = (id: string, version: number): EncodedSnapshot => ({
  streamId: stream(id),
  version: parseVersion(version),
  stateVersion: 1,
  timestampMs: 1_000,
  state: Buffer.from(`${id} ${version}`),
})

/** A log that records its batches and fails on demand. */
class WatchedLog {
  readonly batches: string[][] = []
  readonly indexed: string[] = []
  failure: (records: readonly string[]) => Error | undefined = () => undefined
  readonly snapshots = new SnapshotLog(this, {
    saveSnapshot: (streamId, { version }) => {
      this.indexed.push(`${streamId} ${version}`)
      return Promise.resolve(true)
    },
  })

  async append(records: readonly LogRecord[]) {
    const texts = records.map(({ key, value }) =>
      value === null ? `no ${key.toString()}` : value.toString(),
    )
    await Promise.resolve()
    const failure = this.failure(texts)
    if (failure !== undefined) throw failure
    this.batches.push(texts)
    return { firstOffset: 0, lastOffset: texts.length - 1, strays: [] }
  }

  renew = () => Promise.resolve()
  close = () => undefined
}

test('snapshots that arrive during an append go into the next one', async () => {
  const log = new WatchedLog()
  await Promise.all(['a', 'b', 'c'].map((id) => log.snapshots.store(snapshot(id, 10))))
  expect(log.batches).toEqual([['a 10'], ['b 10', 'c 10']])
  expect(log.indexed.sort()).toEqual(['order.a 10', 'order.b 10', 'order.c 10'])
})

test('the newest snapshot of a stream is kept, in any order of arrival', async () => {
  const log = new WatchedLog()
  await Promise.all([log.snapshots.store(snapshot('a', 12)), log.snapshots.store(snapshot('a', 11))])
  expect(log.batches).toEqual([['a 12']])
  expect(log.snapshots.newest(stream('a'))).toBe(12)
  await log.snapshots.store(snapshot('a', 12))
  expect(log.batches).toHaveLength(2)
})

test('a snapshot that the topic rejects does not fail the others of its batch', async () => {
  const log = new WatchedLog()
  log.failure = (records) => (records.includes('bad 10') ? new LogError('refused', 'too large') : undefined)
  const ends = await Promise.allSettled(
    ['first', 'a', 'bad', 'b'].map((id) => log.snapshots.store(snapshot(id, 10))),
  )
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  expect(log.batches).toEqual([['first 10'], ['a 10'], ['b 10']])
  expect(log.snapshots.newest(stream('bad'))).toBe(0)
})

test('a fenced log fails all snapshots, and none reaches the index', async () => {
  const log = new WatchedLog()
  log.failure = () => new LogError('fenced', 'another owner')
  const ends = await Promise.allSettled(['a', 'b', 'c'].map((id) => log.snapshots.store(snapshot(id, 10))))
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(log.indexed).toEqual([])
})

test('a snapshot is removed, unless a new one has been stored meanwhile', async () => {
  const log = new WatchedLog()
  await log.snapshots.store(snapshot('a', 10))
  await Promise.all([log.snapshots.remove(stream('a')), log.snapshots.remove(stream('b'))])
  await Promise.all([log.snapshots.store(snapshot('c', 10)), log.snapshots.remove(stream('c'))])
  expect(log.batches.flat()).toEqual(['a 10', 'no order.b', 'c 10'])
})
