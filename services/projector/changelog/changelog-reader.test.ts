import { expect, test } from 'vitest'

import { defineProjection, partitionFor } from '#domain'
import { type Followed, LogError, type StoredRecord } from '#kafka'
import { SchemaError } from '#schemas'

import { ChangelogReader, type ChangelogReaderParts } from './changelog-reader.ts'

const partitions = 2
const never = new AbortController().signal
const counts = defineProjection({
  name: 'counts',
  source: 'order',
  keyedBy: 'stream',
  initialView: 0,
  on: {},
})

const keyIn = (partition: number): string =>
  ['a', 'b', 'c', 'd', 'e', 'f'].find((key) => partitionFor(key, partitions) === partition) ?? ''

const record = (partition: number, offset: number, text: string | null): StoredRecord => ({
  offset,
  key: Buffer.from(keyIn(partition)),
  value: text === null ? null : Buffer.concat([Buffer.alloc(5), Buffer.from(text)]),
  headers: [['annals_changedat', Buffer.from('2024-05-06T07:08:09.010Z')]],
  timestampMs: 0,
})

/** A log whose records before `start` were deleted. */
class TestLog {
  readonly records: readonly (readonly StoredRecord[])[]
  readonly start: number
  readonly fetched = new Set<number>()

  constructor(records: readonly (readonly StoredRecord[])[], start = 0) {
    this.records = records
    this.start = start
  }

  async fetch(_: string, partition: number, from: number): Promise<Followed> {
    this.fetched.add(partition)
    const end = await this.endOffset('', partition)
    if (from < this.start || from > end) throw new LogError('not-there', `offset ${from} is not in the log`)
    const records = (this.records[partition] ?? []).filter(({ offset }) => offset >= from)
    if (records.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    return { records, strays: [], nextOffset: end, highWatermark: end }
  }

  startOffset(): Promise<number> {
    return Promise.resolve(this.start)
  }

  endOffset(_: string, partition: number): Promise<number> {
    return Promise.resolve((this.records[partition]?.at(-1)?.offset ?? -1) + 1)
  }
}

/** Texts instead of Avro: `!` cannot be decoded, `old` predates a breaking change. */
const codec: ChangelogReaderParts['codec'] = {
  encode: (_, __, json) => Buffer.from(JSON.stringify(json)),
  learn: () => Promise.resolve(),
  decode: (bytes) => {
    const text = bytes.subarray(5).toString()
    if (text === '!') throw new SchemaError('unknown-schema', 'schema id 0 is not known')
    if (text === 'old') throw new SchemaError('superseded', 'it must be rebuilt')
    return { aggregateType: 'counts', eventType: 'View', data: { json: text } }
  },
}

const readerOf = (reader: TestLog, changelog = true) =>
  new ChangelogReader({ reader, codec, projections: [counts], partitions, changelog, keptBytesMax: 1 << 20 })

async function take(reader: ChangelogReader, count: number, query: { cursor?: string; key?: string } = {}) {
  const taken = []
  for await (const update of reader.updates('counts', query, never)) {
    taken.push(update)
    if (taken.length === count) break
  }
  return taken
}

test('a change has its view (null if deleted), its time, and the cursor to resume at', async () => {
  const log = new TestLog([[record(0, 3, '{"n":1}'), record(0, 7, null)], []])
  const update = { key: keyIn(0), changedAt: '2024-05-06T07:08:09.010Z' }
  expect(await take(readerOf(log), 2)).toEqual([
    { ...update, view: { n: 1 }, cursor: '4,0' },
    { ...update, view: null, cursor: '8,0' },
  ])
})

test('a cursor resumes right after its change, also in the other partitions', async () => {
  const log = new TestLog([[record(0, 0, '1'), record(0, 1, '2')], [record(1, 0, '3')]])
  const updates = await take(readerOf(log), 3)
  for (const [index, { cursor }] of updates.entries()) {
    if (index === 2) break
    const rest = await take(readerOf(log), 2 - index, { cursor })
    expect(rest.map(({ view }) => view).toSorted()).toEqual(
      updates
        .slice(index + 1)
        .map(({ view }) => view)
        .toSorted(),
    )
  }
})

test('with a key only its partition is read and only its changes are delivered', async () => {
  const other = { ...record(1, 0, '9'), key: Buffer.from('other') }
  const log = new TestLog([[record(0, 0, '1')], [other, record(1, 1, '2')]])
  expect(await take(readerOf(log), 1, { key: keyIn(1) })).toMatchObject([{ key: keyIn(1), view: 2 }])
  expect([...log.fetched]).toEqual([1])
})

test('a cursor before the start of the log starts there', async () => {
  const log = new TestLog([[record(0, 12, '1')], [record(1, 11, '2')]], 10)
  expect(await take(readerOf(log), 2)).toHaveLength(2)
  expect(await take(readerOf(log), 2, { cursor: '5,11' })).toHaveLength(2)
})

test('a cursor beyond the end belongs to another log and is rejected', async () => {
  const log = new TestLog([[record(0, 0, '1')], []])
  await expect(take(readerOf(log), 1, { cursor: '7,0' })).rejects.toMatchObject({
    code: 'invalid-request',
    details: { path: 'cursor' },
  })
})

test.each([
  ['beyond the end', '7,0'],
  ['malformed', '7'],
])('a cursor that is %s is rejected before the subscription starts', async (_, cursor) => {
  const reader = readerOf(new TestLog([[record(0, 0, '1')], []]))
  await expect(reader.checkUpdates('counts', { cursor })).rejects.toMatchObject({
    code: 'invalid-request',
    details: { path: 'cursor' },
  })
  await reader.checkUpdates('counts', { cursor: '1,0' })
  await reader.checkUpdates('counts', {})
})

test('with a key the cursor moves past the changes of other views', async () => {
  const others = Array.from({ length: 300 }, (_, offset) => ({
    ...record(1, offset + 1, '9'),
    key: Buffer.from('other'),
  }))
  const log = new TestLog([[], [record(1, 0, '1'), ...others]])
  const cursors: string[] = []
  for await (const { cursor } of readerOf(log).subscribe('counts', { key: keyIn(1) }, never)) {
    cursors.push(cursor)
    if (cursor === '0,301') break
  }
  expect(cursors.length).toBeLessThan(5)
})

test('views that predate a breaking change of their schema are skipped', async () => {
  const log = new TestLog([[record(0, 0, 'old'), record(0, 1, '2')], []])
  expect(await take(readerOf(log), 1)).toMatchObject([{ view: 2, cursor: '2,0' }])
})

test('a view that cannot be decoded here may be retried at another instance', async () => {
  const log = new TestLog([[record(0, 0, '!')], []])
  await expect(take(readerOf(log), 1)).rejects.toMatchObject({ code: 'unavailable' })
})

test('the current cursor is after the newest change of each partition', async () => {
  const log = new TestLog([[record(0, 4, '1')], []])
  expect(await readerOf(log).cursorNow('counts')).toBe('5,0')
})

test.each([
  ['a malformed cursor', readerOf(new TestLog([])), { cursor: '1' }, 'invalid-request'],
  ['no changelog', readerOf(new TestLog([]), false), {}, 'invalid-request'],
])('%s is rejected', async (_, reader, query, code) => {
  await expect(take(reader, 1, query)).rejects.toMatchObject({ code })
})

test('an unknown projection is rejected', async () => {
  const reader = readerOf(new TestLog([]))
  await expect(reader.cursorNow('other')).rejects.toMatchObject({ code: 'projection-not-found' })
})
