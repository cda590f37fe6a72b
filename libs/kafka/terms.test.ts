import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { newEventId, streamIdOf, type Version } from '#domain'

import { toLogRecord } from '#event-log/records'
import { encodeBatch, splitBatches, type StoredBatch } from './record-batch.ts'
import { termBefore } from './term-before.ts'
import { type Term, TermRule } from './terms.ts'
import { UnmarkedData } from './unmarked-data.ts'

/** One batch of a generated log: a marker, or data. */
interface MadeBatch extends Term {
  readonly isMarker: boolean
  readonly records: number
  /** The version of its first record. Without it, the records are not events. */
  readonly version?: number
}

const attributesAt = 21
const controlFlag = 1 << 5

const madeBatch = fc.record<MadeBatch>({
  isMarker: fc.boolean(),
  producerId: fc.constantFrom(1n, 2n),
  epoch: fc.integer({ min: 0, max: 2 }),
  records: fc.integer({ min: 1, max: 3 }),
})

/** The batches as a broker stores them. */
function stored(log: readonly MadeBatch[], start = 0): StoredBatch[] {
  let offset = start
  return log.map(({ isMarker, producerId, epoch, records, version }) => {
    const one = { key: Buffer.from('k'), value: Buffer.from('v'), headers: [], timestampMs: 0 }
    const count = isMarker ? 1 : records
    const bytes = encodeBatch(
      Array.from({ length: count }, (_, index) => (version === undefined ? one : eventOf(version + index))),
      { producerId, epoch, sequence: 0 },
    )
    bytes.writeBigInt64BE(BigInt(offset), 0)
    if (isMarker) bytes.writeInt16BE(controlFlag, attributesAt)
    offset += count
    return splitBatches(bytes)[0] as StoredBatch
  })
}

const eventOf = (version: number) =>
  toLogRecord({
    id: newEventId(),
    streamId: streamIdOf('order', '1'),
    type: 'OrderPlaced',
    version: version as Version,
    timestamp: new Date(0).toISOString(),
    timestampMs: 0,
    metadata: {},
    value: Buffer.from('v'),
  })

/** The rule by its definition: looks back for the last marker at each batch. */
function countsByDefinition(log: readonly MadeBatch[], index: number): boolean {
  const { producerId, epoch, isMarker } = log[index] as MadeBatch
  if (isMarker) return false
  const marker = log.slice(0, index).findLast((batch) => batch.isMarker)
  return marker === undefined || (marker.producerId === producerId && marker.epoch === epoch)
}

test('a batch counts if and only if its producer id and epoch are those of the last marker before it', () => {
  fc.assert(
    fc.property(fc.array(madeBatch, { maxLength: 40 }), (log) => {
      const batches = stored(log)
      const { batches: counted, strays } = new TermRule(undefined).sift(batches)
      const expected = batches.filter((_, index) => countsByDefinition(log, index))
      expect(counted.map(({ baseOffset }) => baseOffset)).toEqual(
        expected.map(({ baseOffset }) => baseOffset),
      )
      const data = batches.filter(({ isControl }) => !isControl).length
      expect(strays).toHaveLength(data - expected.length)
    }),
  )
})

test('reading from any offset, in pieces of any size, gives the same result', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(madeBatch, { minLength: 1, maxLength: 40 }),
      fc.nat(40),
      fc.integer({ min: 1, max: 7 }),
      async (log, skip, size) => {
        const batches = stored(log)
        const from = Math.min(skip, log.length - 1)
        const source = {
          startOffset: () => Promise.resolve(0),
          batchesFrom: (offset: number) => {
            const first = batches.findIndex(({ lastOffset }) => lastOffset >= offset)
            return Promise.resolve(first < 0 ? [] : batches.slice(first, first + size))
          },
        }
        const rule = new TermRule(await termBefore(source, batches[from]?.baseOffset ?? 0))
        const counted: number[] = []
        for (let at = from; at < batches.length; at += size) {
          counted.push(...rule.sift(batches.slice(at, at + size)).batches.map(({ baseOffset }) => baseOffset))
        }
        const whole = new TermRule(undefined).sift(batches).batches.map(({ baseOffset }) => baseOffset)
        expect(counted).toEqual(whole.filter((offset) => offset >= (batches[from]?.baseOffset ?? 0)))
      },
    ),
  )
})

test('the marker is found however far back it is, and none is found in a log without one', async () => {
  const marker: MadeBatch = { isMarker: true, producerId: 7n, epoch: 3, records: 1 }
  const data: MadeBatch = { isMarker: false, producerId: 7n, epoch: 3, records: 3 }
  const find = (log: readonly MadeBatch[]) => {
    const batches = stored(log)
    const source = {
      startOffset: () => Promise.resolve(0),
      batchesFrom: (offset: number) => {
        const first = batches.findIndex(({ lastOffset }) => lastOffset >= offset)
        return Promise.resolve(first < 0 ? [] : batches.slice(first, first + 500))
      },
    }
    return termBefore(source, (batches.at(-1)?.lastOffset ?? 0) + 1)
  }
  const many = Array.from({ length: 5_000 }, () => data)
  expect(await find([data, marker, ...many])).toMatchObject({ producerId: 7n, epoch: 3 })
  expect(await find(many)).toBeUndefined()
})

describe('data before the first marker', () => {
  const data = { isMarker: false, records: 2 }
  const marker = { isMarker: true, records: 1 }
  const own = { ...data, producerId: 1n, epoch: 4 }
  const other = { ...data, producerId: 9n, epoch: 0 }
  const plain = { ...data, producerId: -1n, epoch: -1 }
  const next = { ...marker, producerId: 1n, epoch: 5 }
  const last = { ...data, producerId: 1n, epoch: 5 }

  /** Relative offsets of the batches that count in a log that starts at an offset, read one at a time. */
  async function counted(log: readonly MadeBatch[], start: number): Promise<number[]> {
    const batches = stored(log, start)
    const highWatermark = (batches.at(-1)?.lastOffset ?? 0) + 1
    const unmarked = await new UnmarkedData().of('topic/0', {
      startOffset: () => Promise.resolve(start),
      pieceAt: (offset) =>
        Promise.resolve({ batches: batches.filter((batch) => batch.lastOffset >= offset), highWatermark }),
    })
    const rule = new TermRule(undefined)
    return batches.flatMap((batch) =>
      rule.sift([batch], unmarked).batches.map(({ baseOffset }) => baseOffset - start),
    )
  }

  test.each([
    {
      what: 'of the first owner was sent to a deleted topic and does not count',
      start: 0,
      log: [own, other, next, last],
      counts: [2, 5],
    },
    { what: 'in a copied log counts', start: 0, log: [other, other, next, last], counts: [0, 2, 5] },
    { what: 'without any marker counts', start: 0, log: [own, other], counts: [0, 2] },
    {
      what: 'that begins its stream counts in a copied log',
      start: 0,
      log: [{ ...other, version: 1 }, { ...other, version: 3 }, next, last],
      counts: [0, 2, 5],
    },
    {
      what: 'that continues a stream of a deleted topic does not count',
      start: 0,
      log: [{ ...other, version: 11 }, next, last],
      counts: [3],
    },
    {
      what: 'that continues a stream of a deleted topic does not count while there is no marker',
      start: 0,
      log: [{ ...other, version: 11 }],
      counts: [],
    },
    {
      what: 'that continues a stream counts if the head was deleted',
      start: 7,
      log: [{ ...other, version: 11 }, next, last],
      counts: [0, 3],
    },
    {
      what: 'of the owner alone counts if the head was deleted',
      start: 7,
      log: [other, own, next, last],
      counts: [2, 5],
    },
    {
      what: 'of any producer counts if none is of the owner',
      start: 7,
      log: [other, other, next, last],
      counts: [0, 2, 5],
    },
    {
      what: 'of a plain producer does not count beside that of an owner if the head was deleted',
      start: 7,
      log: [plain, other, plain, next, last],
      counts: [2, 7],
    },
    {
      what: 'of a plain producer does not count beside that of an owner in a log without markers',
      start: 7,
      log: [own, plain],
      counts: [0],
    },
    {
      what: 'of plain producers alone counts, as in a copied log without its head',
      start: 7,
      log: [plain, plain, next, last],
      counts: [0, 2, 5],
    },
    {
      what: 'without any marker counts if the head was deleted',
      start: 7,
      log: [own, other],
      counts: [0, 2],
    },
  ])('$what', async ({ start, log, counts }) => expect(await counted(log, start)).toEqual(counts))
})
