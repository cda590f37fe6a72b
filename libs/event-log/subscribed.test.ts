import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'

import type { RecordedEvent } from '#domain'
import { type FedEvent, isReadable } from '#event-log/records'
import { LogError } from '#kafka'

import { SharedLog, type SharedLogParts } from './shared-log.ts'
import { type SubscribedBatch, subscribed } from './subscribed.ts'
import {
  BackgroundRead,
  eventually,
  pacedBy,
  range,
  someAppends,
  someReader,
} from './testing/background-read.ts'
import { FormatDouble, LogDouble } from './testing/log-double.ts'

const topic = 'eventstore.order'
const offsetOf = ({ position }: FedEvent): number => position.offset

function opened(more: Partial<SharedLogParts<FedEvent>> = {}) {
  const log = new LogDouble()
  const format = new FormatDouble()
  const shared = new SharedLog<FedEvent>({
    reader: log,
    decode: (source, records) => format.decodeEach(source.topic, source.partition, records),
    keptBytesMax: 1 << 20,
    lanes: { head: 'live', behind: 'subscribers', behindMax: 4 },
    behindAtOnceMax: 2,
    keepsPast: true,
    skipsDeleted: false,
    ...more,
  })
  return { log, format, shared }
}

/** A subscriber to partition 3 that records the offsets it receives. */
class Subscriber extends BackgroundRead {
  readonly offsets: number[]

  constructor(
    log: SharedLog<FedEvent>,
    from: number,
    pace: () => Promise<unknown> = () => Promise.resolve(),
  ) {
    const offsets: number[] = []
    super(async (signal) => {
      const asked = { log, offsetOf, topic, offsets: [0, 0, 0, from], partitions: [3], wanted: isReadable }
      for await (const { items } of subscribed(asked, signal)) {
        for (const { item, cursor } of items) {
          expect([item.position.partition, cursor]).toEqual([3, `0,0,0,${offsetOf(item) + 1}`])
          offsets.push(offsetOf(item))
        }
        await pace()
      }
    })
    this.offsets = offsets
    onTestFinished(() => this.leave())
  }
}

test('subscribers that start together and subscribers at the head share each fetch and each decoding', async () => {
  const { log, format, shared } = opened()
  log.append(500)
  const all = range(0, 50).map(() => new Subscriber(shared, 0))
  await eventually(() => all.forEach(({ offsets }) => expect(offsets).toHaveLength(500)))
  for (let end = 510; end <= 600; end += 10) {
    log.append(10)
    await eventually(() => all.forEach(({ offsets }) => expect(offsets).toHaveLength(end)))
  }
  for (const { offsets } of all) expect(offsets).toEqual(range(0, 600))
  // The pieces that the head had read were still kept.
  expect(format.decoded).toBe(600)
  expect(new Set(log.fetches.map(({ lane }) => lane))).toEqual(new Set([`live-${topic}:3`, 'subscribers-3']))
})

test('a subscriber that does not read delays no other and holds no memory', async () => {
  const { log, shared } = opened({ keptBytesMax: 50_000 })
  const slow = Promise.withResolvers<undefined>()
  log.append(10)
  const laggard = new Subscriber(shared, 0, () => slow.promise)
  const quick = new Subscriber(shared, 0)
  await eventually(() => expect([laggard.offsets.length, quick.offsets.length]).toEqual([10, 10]))
  log.append(2_000)
  await eventually(() => expect(quick.offsets).toHaveLength(2_010))
  expect(laggard.offsets).toHaveLength(10)
  expect(shared.keptBytes).toBeLessThanOrEqual(50_000)
  slow.resolve(undefined)
  await eventually(() => expect(laggard.offsets).toEqual(range(0, 2_010)))
})

test('concurrent fetches stay within their bound for any number of subscribers behind the head', async () => {
  const { log, shared } = opened()
  log.append(1_000)
  let underWay = 0
  let most = 0
  const fetch = log.fetch.bind(log)
  log.fetch = async (...args) => {
    if (!args[3].lane.startsWith('subscribers')) return fetch(...args)
    most = Math.max(most, ++underWay)
    try {
      return await fetch(...args)
    } finally {
      underWay--
    }
  }
  const all = range(0, 40).map((n) => new Subscriber(shared, n * 20 + 1))
  await eventually(() => all.forEach(({ offsets }, n) => expect(offsets).toHaveLength(999 - n * 20)))
  expect(most).toBe(2)
})

test('a failure ends all subscribers at the head; one that reconnects misses nothing', async () => {
  const { log, shared } = opened()
  log.append(10)
  const all = range(0, 3).map(() => new Subscriber(shared, 0))
  await eventually(() => all.forEach(({ offsets }) => expect(offsets).toHaveLength(10)))
  log.fail(new LogError('unavailable', 'the broker is down'))
  await Promise.all(all.map(({ ended }) => ended))
  for (const { error } of all) expect(error).toMatchObject({ outcome: 'unavailable' })
  log.failure = undefined
  log.append(5)
  const again = new Subscriber(shared, 10)
  await eventually(() => expect(again.offsets).toEqual(range(10, 15)))
})

test('an offset outside the log is an error, or starts at its start if configured', async () => {
  const { log, shared } = opened()
  log.append(20)
  log.start = 12
  for (const from of [5, 21]) {
    const lost = new Subscriber(shared, from)
    await lost.ended
    expect(lost.error).toMatchObject({ outcome: 'not-there' })
  }
  const skipping = opened({ skipsDeleted: true })
  skipping.log.append(20)
  skipping.log.start = 12
  const found = new Subscriber(skipping.shared, 5)
  await eventually(() => expect(found.offsets).toEqual(range(12, 20)))
})

test('the head is not read without subscribers', async () => {
  const { log, shared } = opened()
  log.append(10)
  const only = new Subscriber(shared, 0)
  await eventually(() => expect(only.offsets).toHaveLength(10))
  await only.leave()
  await eventually(() => expect(shared.headOffset({ topic, partition: 3 })).toBeUndefined())
  const fetches = log.fetches.length
  log.append(10)
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(log.fetches).toHaveLength(fetches)
})

test('subscribers that start at any time and read at any pace receive each item once, however little is kept', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record(someReader), { minLength: 1, maxLength: 5 }),
      someAppends,
      fc.integer({ min: 0, max: 100_000 }),
      async (who, appends, keptBytesMax) => {
        const { log, shared } = opened({ keptBytesMax: keptBytesMax + 1 })
        log.append(150, 1)
        const here: { readonly subscriber: Subscriber; readonly from: number }[] = []
        for (const [step, { count, markers, recordsMax }] of appends.entries()) {
          for (const { from, pauses } of who.filter(({ afterStep }) => afterStep === step)) {
            here.push({ subscriber: new Subscriber(shared, from, pacedBy(pauses)), from })
          }
          log.recordsMax = recordsMax
          log.append(count, markers)
          await new Promise(setImmediate)
        }
        for (const { subscriber, from } of here) {
          const expected = log.offsets.filter((offset) => offset >= from)
          await eventually(() => expect(subscriber.offsets.length).toBeGreaterThanOrEqual(expected.length))
          await subscriber.leave()
          expect([subscriber.error, subscriber.offsets]).toEqual([undefined, expected])
        }
        expect(shared.keptBytes).toBeLessThanOrEqual(keptBytesMax + 1)
      },
    ),
    { numRuns: 60 },
  )
}, 60_000)

describe('a subscriber with a filter', () => {
  /** The batches of a subscriber that wants only these offsets. */
  function filtered(
    log: SharedLog<FedEvent>,
    from: number,
    wantedOffsets: readonly number[],
    progressMs = 5,
    leaving = new AbortController(),
  ) {
    const wanted = (item: FedEvent): item is RecordedEvent => wantedOffsets.includes(offsetOf(item))
    const asked = { log, offsetOf, topic, offsets: [7, 0, 0, from], partitions: [3], wanted, progressMs }
    const deliveries = subscribed(asked, leaving.signal)
    onTestFinished(async () => {
      leaving.abort()
      // Without this the head keeps moving after the test: the watch ends only when the subscription does.
      await deliveries.return()
    })
    return deliveries
  }

  async function until(deliveries: AsyncIterable<SubscribedBatch<RecordedEvent>>, cursor: string) {
    const taken: SubscribedBatch<RecordedEvent>[] = []
    for await (const delivery of deliveries) {
      taken.push(delivery)
      if (delivery.cursor === cursor) break
    }
    return taken
  }

  test('receives its progress and resumes there without reading items again', async () => {
    const { log, shared, format } = opened()
    log.append(3_001)
    const taken = await until(filtered(shared, 0, [0]), '7,0,0,3001')
    expect(taken.flatMap(({ items }) => items.map(({ cursor }) => cursor))).toEqual(['7,0,0,1'])
    const again = opened()
    again.log.append(3_001)
    const resumed = filtered(again.shared, 3_001, [3_001, 3_003])
    again.log.append(3)
    expect((await until(resumed, '7,0,0,3004')).flatMap(({ items }) => items)).toHaveLength(2)
    expect(again.log.fetches.filter(({ offset }) => offset < 3_001)).toEqual([])
    expect([format.decoded, again.format.decoded]).toEqual([3_001, 3])
  })

  test('receives its progress at the head too, while nothing is appended', async () => {
    const { log, shared } = opened()
    log.append(5)
    const deliveries = filtered(shared, 0, [1], 20)
    expect((await deliveries.next()).value?.items).toMatchObject([{ cursor: '7,0,0,2' }])
    expect((await deliveries.next()).value).toEqual({ items: [], cursor: '7,0,0,5' })
    log.append(1)
    expect((await deliveries.next()).value).toEqual({ items: [], cursor: '7,0,0,6' })
  })

  test('ends when it is aborted while its consumer handles the progress', { timeout: 5_000 }, async () => {
    const { log, shared } = opened()
    log.append(5)
    const leaving = new AbortController()
    const deliveries = filtered(shared, 0, [], 20, leaving)
    expect((await deliveries.next()).value).toEqual({ items: [], cursor: '7,0,0,5' })
    leaving.abort()
    expect(await deliveries.next()).toEqual({ done: true, value: undefined })
  })

  test('receives its progress at most once per interval', async () => {
    const { log, shared } = opened()
    log.append(3_000)
    const deliveries = filtered(shared, 0, [2_999], 60_000)
    const { value } = await deliveries.next()
    expect(value).toMatchObject({ items: [{ cursor: '7,0,0,3000' }], cursor: '7,0,0,3000' })
  })

  test('never receives a cursor that skips a wanted item', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(299), { maxLength: 20 }),
        fc.integer({ min: 1, max: 30 }),
        async (wantedOffsets, recordsMax) => {
          const { log, shared } = opened()
          log.recordsMax = recordsMax
          log.append(300)
          const seen: number[] = []
          for (const { items, cursor } of await until(filtered(shared, 0, wantedOffsets, 0), '7,0,0,300')) {
            seen.push(...items.map(({ item }) => offsetOf(item)))
            const next = Number(cursor.split(',')[3])
            expect(wantedOffsets.filter((offset) => offset < next).toSorted((a, b) => a - b)).toEqual(seen)
          }
        },
      ),
      { numRuns: 40 },
    )
  }, 30_000)
})

test('offsets beyond the end are found, and the end is requested only if the head is not known', async () => {
  const { log, shared } = opened()
  log.append(10)
  expect(await shared.beyondEnd(topic, [3], [0, 0, 0, 11])).toEqual({ partition: 3, offset: 11, end: 10 })
  expect(await shared.beyondEnd(topic, [3], [99, 0, 0, 10])).toBeUndefined()
  const watching = new Subscriber(shared, 0)
  await eventually(() => expect(watching.offsets).toHaveLength(10))
  log.endOffset = () => Promise.reject(new Error('not expected'))
  expect(await shared.beyondEnd(topic, [3], [0, 0, 0, 10])).toBeUndefined()
})
