import fc from 'fast-check'
import { expect, test } from 'vitest'

import { encodeBatch, splitBatches, type StoredBatch } from './record-batch.ts'
import { termBefore } from './term-before.ts'
import { type Term, TermRule } from './terms.ts'

/** One batch of a log made up: a marker, or data of some records. */
interface Made extends Term {
  readonly isMarker: boolean
  readonly records: number
}

const attributesAt = 21
const controlFlag = 1 << 5

const made = fc.record<Made>({
  isMarker: fc.boolean(),
  producerId: fc.constantFrom(1n, 2n),
  epoch: fc.integer({ min: 0, max: 2 }),
  records: fc.integer({ min: 1, max: 3 }),
})

/** The batches as a broker stores them. */
function stored(log: readonly Made[]): StoredBatch[] {
  let offset = 0
  return log.map(({ isMarker, producerId, epoch, records }) => {
    const one = { key: Buffer.from('k'), value: Buffer.from('v'), headers: [], timestampMs: 0 }
    const count = isMarker ? 1 : records
    const bytes = encodeBatch(
      Array.from({ length: count }, () => one),
      { producerId, epoch, sequence: 0 },
    )
    bytes.writeBigInt64BE(BigInt(offset), 0)
    if (isMarker) bytes.writeInt16BE(controlFlag, attributesAt)
    offset += count
    return splitBatches(bytes)[0] as StoredBatch
  })
}

/** The rule as design states it, batch by batch: looks back for the last marker each time. */
function countsByDefinition(log: readonly Made[], index: number): boolean {
  const { producerId, epoch, isMarker } = log[index] as Made
  if (isMarker) return false
  const marker = log.slice(0, index).findLast((batch) => batch.isMarker)
  return marker === undefined || (marker.producerId === producerId && marker.epoch === epoch)
}

test('a batch counts if and only if its producer id and epoch are those of the last marker before it', () => {
  fc.assert(
    fc.property(fc.array(made, { maxLength: 40 }), (log) => {
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

test('reading from anywhere, in pieces of any size, comes to the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(made, { minLength: 1, maxLength: 40 }),
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

test('the marker is found however far back it is, and not where the log has none', async () => {
  const marker: Made = { isMarker: true, producerId: 7n, epoch: 3, records: 1 }
  const data: Made = { isMarker: false, producerId: 7n, epoch: 3, records: 3 }
  const find = (log: readonly Made[]) => {
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

test('data of the first owner before its marker counts only where the head of the log may have been deleted', () => {
  const data = { isMarker: false, records: 2 }
  const marker = { isMarker: true, records: 1 }
  const log = stored([
    { ...data, producerId: 1n, epoch: 4 },
    { ...data, producerId: 9n, epoch: 0 },
    { ...marker, producerId: 1n, epoch: 5 },
    { ...data, producerId: 1n, epoch: 5 },
  ])
  const headless = new TermRule(undefined).sift(log)
  expect(headless.batches.map(({ baseOffset }) => baseOffset)).toEqual([0, 2, 5])
  const whole = new TermRule(undefined).sift(log, { producerId: 1n, epoch: 5 })
  expect(whole.batches.map(({ baseOffset }) => baseOffset)).toEqual([2, 5])
  expect(whole.strays).toEqual([{ producerId: 1n, epoch: 4, firstOffset: 0, lastOffset: 1, held: undefined }])
})
