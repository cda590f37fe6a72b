import fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  defineAggregate,
  type DomainEvent,
  type LoadedAggregate,
  newEventId,
  parseVersion,
  type StreamId,
} from '#domain'
import { EventFormat } from '#event-log'
import { toLogRecord } from '#event-log/records'
import type { StoredRecord } from '#kafka'

import { Span, type SpanParts } from './span.ts'
import { StateMemory } from './state-memory.ts'
import type { SnapshotAggregate } from './state-source.ts'

type Counted = DomainEvent<'Counted', { readonly by: number }>

const every = 3
/** Numbers that cannot be decoded, that cannot be folded, and whose sum does not fit the schema. */
const undecodable = 255
const unfoldable = 254
const misfit = 253

const counter = defineAggregate<{ readonly sum: number }, Counted>({
  type: 'counter',
  initialState: { sum: 0 },
  evolve: {
    Counted: ({ sum }, { data }) => {
      if (data.by === unfoldable) throw new TypeError('cannot be folded')
      return { sum: sum + data.by }
    },
  },
  snapshot: { every, schema: 'CounterState' },
}) as unknown as SnapshotAggregate

const codec = {
  learn: () => Promise.resolve(),
  decode: (bytes: Buffer) => {
    if (bytes[5] === undecodable) throw new TypeError('cannot be decoded')
    return { data: { by: bytes[5] } } as never
  },
  encode: (...args: unknown[]) => {
    const { sum } = args[2] as { sum: number }
    if (sum === misfit) throw new TypeError('does not fit')
    return Buffer.alloc(10)
  },
}

const far = 1e9

interface Written {
  readonly stream: number
  readonly version: number
  readonly by: number
}

const idOf = (stream: number) => `counter.${stream}` as StreamId

function recordOf({ stream, version, by }: Written, offset: number): StoredRecord {
  const record = toLogRecord({
    id: newEventId(),
    streamId: idOf(stream),
    type: 'Counted',
    version: parseVersion(version),
    timestamp: '2026-01-31T12:00:00.000Z',
    timestampMs: Date.UTC(2026, 0, 31, 12),
    metadata: {},
    value: Buffer.from([0, 0, 0, 0, 1, by]),
  })
  return { ...record, offset, headers: record.headers.map(([name, value]) => [name, Buffer.from(value)]) }
}

function spanOf(memory = new StateMemory(1e9), more: Partial<SpanParts> = {}) {
  const foreign: number[] = []
  const parts: SpanParts = {
    aggregate: counter,
    topic: 'eventstore.counter',
    partition: 0,
    format: new EventFormat(codec),
    codec,
    memory,
    starts: { areReadFrom: () => Promise.resolve(true) },
    onForeign: (offset) => foreign.push(offset),
    ...more,
  }
  return { foreign, span: new Span(parts, 0) }
}

const pieceOf = (records: readonly StoredRecord[], highWatermark = far) => ({
  records,
  strays: [],
  nextOffset: (records.at(-1)?.offset ?? -1) + 1,
  highWatermark,
})

const events = (stream: number, count: number, by = 1): Written[] =>
  Array.from({ length: count }, (_, index) => ({ stream, version: index + 1, by }))

const recordsOf = (written: readonly Written[]) => written.map((event, offset) => recordOf(event, offset))

test('far from the end a due stream has its state, and is due once', async () => {
  const { span } = spanOf()
  const all = events(1, 8).flatMap((event) => [event, { ...event, stream: 2, by: 10 }])
  const records = recordsOf([...all, ...events(3, 2)])
  await span.read(pieceOf(records.slice(0, 5)))
  await span.read(pieceOf(records.slice(5)))
  expect([...span.due()]).toEqual([
    { streamId: 'counter.1', version: 6, folded: { streamId: 'counter.1', version: 8, state: { sum: 8 } } },
    { streamId: 'counter.2', version: 6, folded: { streamId: 'counter.2', version: 8, state: { sum: 80 } } },
  ])
  expect(span.nextOffset).toBe(18)
  span.taken(idOf(1))
  expect([...span.due()].map(({ streamId }) => streamId)).toEqual(['counter.2'])
})

test('an event whose version the stream already has is skipped, as an index skips it', async () => {
  const { span } = spanOf()
  const [one, two, three, four] = events(1, 4)
  await span.read(
    pieceOf(recordsOf([one, two, { ...two, by: 9 }, { ...one, by: 9 }, three, four] as Written[])),
  )
  expect([...span.due()]).toMatchObject([{ version: 3, folded: { version: 4, state: { sum: 4 } } }])
})

test('a span that starts near the end folds nothing later either, because it has not seen where its streams start', async () => {
  const { span } = spanOf()
  const records = recordsOf([...events(1, 2), ...events(1, 3), ...events(2, 3)])
  await span.read(pieceOf(records.slice(0, 2), 2))
  await span.read(pieceOf(records.slice(2)))
  expect([...span.due()]).toEqual([
    { streamId: 'counter.1', version: 3 },
    { streamId: 'counter.2', version: 3 },
  ])
})

test('a state is released as soon as its snapshot is taken, also for who lists the due streams', async () => {
  const { span } = spanOf()
  await span.read(pieceOf(recordsOf(events(1, 3))))
  const [due] = [...span.due()]
  expect(due?.folded).toMatchObject({ version: 3 })
  span.taken(idOf(1))
  expect(due?.folded).toBeUndefined()
})

test('near the end it folds nothing and is complete', async () => {
  const { span } = spanOf()
  await span.read(pieceOf(recordsOf(events(1, 4)), 4))
  expect([...span.due()]).toEqual([{ streamId: 'counter.1', version: 3 }])
  expect(span.isComplete(4)).toBe(true)
  expect(span.isComplete(far)).toBe(false)
  expect(span.isComplete(far, performance.now() + 31 * 60_000)).toBe(true)
})

test('its states count against the memory of the process until they are released', async () => {
  const memory = new StateMemory(21_000)
  const { span } = spanOf(memory)
  await span.read(pieceOf(recordsOf(Array.from({ length: 20 }, (_, stream) => events(stream, 1)).flat())))
  expect([memory.isFull, span.isComplete(far)]).toEqual([false, false])
  await span.read(pieceOf(recordsOf(Array.from({ length: 11 }, (_, n) => events(100 + n, 3)).flat())))
  expect([memory.isFull, span.isComplete(far)]).toEqual([true, true])
  for (const { streamId } of [...span.due()]) span.taken(streamId)
  expect([memory.isFull, span.isComplete(far)]).toEqual([false, false])
  span.close()
  memory.add(20_999)
  expect(memory.isFull).toBe(false)
})

test('a stream whose snapshot was taken is due again at its next multiple, without a state', async () => {
  const { span } = spanOf()
  const records = recordsOf([...events(1, 6), ...events(1, 3)])
  await span.read(pieceOf(records.slice(0, 4)))
  span.taken(idOf(1))
  expect([...span.due()]).toEqual([])
  await span.read(pieceOf(records.slice(4)))
  expect([...span.due()]).toEqual([{ streamId: 'counter.1', version: 3 }])
})

test('a record that is not an event is reported and skipped', async () => {
  const { span, foreign } = spanOf()
  const [first, ...rest] = recordsOf(events(1, 3))
  const strange = { ...recordOf({ stream: 1, version: 2, by: 1 }, 1), headers: [] }
  await span.read(pieceOf([first, strange, ...rest] as StoredRecord[]))
  expect(foreign).toEqual([1])
  expect([...span.due()]).toMatchObject([{ version: 3, folded: { state: { sum: 3 } } }])
})

test('a read that fails is resumed after the records that were added', async () => {
  let fails = true
  const format = new EventFormat({
    ...codec,
    learn: () => (fails ? Promise.reject(new Error('the registry is down')) : Promise.resolve()),
  })
  const { span } = spanOf(new StateMemory(1e9), { format })
  const records = recordsOf(events(1, 600))
  fails = false
  await span.read(pieceOf(records.slice(0, 100)))
  fails = true
  await expect(span.read(pieceOf(records.slice(100)))).rejects.toThrow('down')
  expect(span.nextOffset).toBe(100)
  fails = false
  await span.read(pieceOf(records.slice(span.nextOffset)))
  expect([...span.due()]).toMatchObject([{ version: 600, folded: { version: 600, state: { sum: 600 } } }])
})

/** Mostly the next version, sometimes a repeated or a later one. */
const anyStep = fc.constantFrom(1, 1, 1, 1, 1, 1, 0, -1, 2)
const anyNumber = fc.constantFrom(1, 2, 3, 50, undecodable, unfoldable, misfit)

/** Events of a few streams. @param step from a stream's version to the next. */
const someLog = (step: fc.Arbitrary<number>): fc.Arbitrary<Written[]> =>
  fc
    .array(fc.record({ stream: fc.nat(3), step, by: anyNumber, isPlain: fc.boolean() }), { maxLength: 60 })
    .map((steps) => {
      const versions = new Map<number, number>()
      return steps.map(({ stream, step: forward, by, isPlain }) => {
        const version = Math.max(1, (versions.get(stream) ?? 0) + forward)
        versions.set(stream, version)
        return { stream, version, by: isPlain ? 1 : by }
      })
    })

/** The events of a stream that its index has: each follows the one before. */
function indexed(log: readonly Written[], stream: number): Written[] {
  const fitting: Written[] = []
  for (const event of log)
    if (event.stream === stream && event.version === fitting.length + 1) fitting.push(event)
  return fitting
}

/** Reads a log, and compares each due stream with what an index of the log has. */
async function checkRead(log: readonly Written[], from: number, pieceMax: number): Promise<void> {
  const memory = new StateMemory(1)
  const { span } = spanOf(memory)
  const records = recordsOf(log).slice(from)
  for (let at = 0; at < records.length; at += pieceMax)
    await span.read(pieceOf(records.slice(at, at + pieceMax)))
  const due = new Map([...span.due()].map((one) => [one.streamId, one]))
  for (const stream of [0, 1, 2, 3]) {
    const found = due.get(idOf(stream))
    const versions = log.slice(from).flatMap((event) => (event.stream === stream ? event.version : []))
    expect(found?.version).toBe(versions.findLast((version) => version % every === 0))
    if (found?.folded !== undefined) expectFold(found.folded, indexed(log, stream))
  }
  span.close()
  expect(memory.isFull).toBe(false)
}

function expectFold({ version, state }: LoadedAggregate<unknown>, stored: readonly Written[]): void {
  const folded = stored.slice(0, version)
  expect(folded).toHaveLength(version)
  expect(folded.every(({ by }) => by < unfoldable)).toBe(true)
  expect(state).toEqual({ sum: folded.reduce((sum, { by }) => sum + by, 0) })
}

const somePieceMax = fc.integer({ min: 1, max: 20 })

test('every state is the fold of the first events of its stream, and no due stream is missed', async () => {
  await fc.assert(
    fc.asyncProperty(someLog(anyStep), somePieceMax, (log, pieceMax) => checkRead(log, 0, pieceMax)),
    { numRuns: 3_000 },
  )
})

test('so it is from any offset of a log whose streams have no repeated version', async () => {
  const later = fc.nat(20)
  await fc.assert(
    fc.asyncProperty(someLog(fc.constant(1)), later, somePieceMax, (log, from, pieceMax) =>
      checkRead(log, from, pieceMax),
    ),
    { numRuns: 1_000 },
  )
})

test('it folds nothing where an event of version 1 may repeat another one', async () => {
  const asked: number[] = []
  const areReadFrom = (from: number) => {
    asked.push(from)
    return Promise.resolve(false)
  }
  const { span } = spanOf(new StateMemory(1e9), { starts: { areReadFrom } })
  await span.read(pieceOf(recordsOf(events(1, 3))))
  await span.read(pieceOf(recordsOf(events(2, 3))))
  expect([...span.due()]).toEqual([
    { streamId: 'counter.1', version: 3 },
    { streamId: 'counter.2', version: 3 },
  ])
  expect(asked).toEqual([0])
})
