import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'

import { position } from '#domain'
import type { FedChunk } from '#event-log/records'
import { LogError } from '#kafka'

import { PartitionFeed } from './partition-feed.ts'
import {
  BackgroundRead,
  eventually,
  pacedBy,
  range,
  someAppends,
  someReader,
} from './testing/background-read.ts'
import { FormatDouble, LogDouble } from './testing/log-double.ts'

const source = { topic: 'eventstore.order', partition: 3 }
const headLane = 'feed-eventstore.order:3'

/** A follower that records the events it receives. */
class Follower extends BackgroundRead {
  readonly offsets: number[]
  readonly chunks: FedChunk[]

  constructor(feed: PartitionFeed, from: number, pace: () => Promise<unknown> = () => Promise.resolve()) {
    const offsets: number[] = []
    const chunks: FedChunk[] = []
    super(async (signal) => {
      for await (const chunk of feed.follow(source, from, signal)) {
        chunks.push(chunk)
        offsets.push(...chunk.events.map((event) => event.position.offset))
        await pace()
      }
    })
    this.offsets = offsets
    this.chunks = chunks
  }

  get next(): number | undefined {
    return this.chunks.at(-1)?.nextOffset
  }
}

function opened(keptBytesMax?: number) {
  const log = new LogDouble()
  const format = new FormatDouble()
  const feed = new PartitionFeed(log, format, keptBytesMax)
  const follow = (from: number, pace?: () => Promise<unknown>) => {
    const follower = new Follower(feed, from, pace)
    onTestFinished(() => follower.leave())
    return follower
  }
  return { log, format, feed, follow }
}

test('followers at the head share each fetch and each decoding', async () => {
  const { log, format, follow } = opened()
  const followers = range(0, 5).map(() => follow(0))
  for (let end = 10; end <= 100; end += 10) {
    log.append(10)
    await eventually(() => followers.forEach(({ next }) => expect(next).toBe(end)))
  }
  for (const { offsets } of followers) expect(offsets).toEqual(range(0, 100))
  expect(format.decoded).toBe(100)
  expect(new Set(log.fetches.map(({ lane }) => lane))).toEqual(new Set([headLane]))
})

test('a slow follower delays no other, and catches up on its own connection', async () => {
  // Some 2,000 events.
  const { log, follow } = opened(2_000_000)
  const slow = Promise.withResolvers<undefined>()
  log.append(5)
  const laggard = follow(0, () => slow.promise)
  const quick = follow(0)
  await eventually(() => expect([laggard.next, quick.next]).toEqual([5, 5]))
  log.recordsMax = 500
  for (let n = 0; n < 10; n++) {
    log.append(500)
    await eventually(() => expect(quick.next).toBe(505 + 500 * n))
  }
  expect(laggard.offsets).toHaveLength(5)
  slow.resolve(undefined)
  await eventually(() => expect(laggard.next).toBe(5_005))
  expect(laggard.offsets).toEqual(range(0, 5_005))
  expect(quick.offsets).toEqual(range(0, 5_005))
  const alone = log.fetches.filter(({ lane }) => lane !== headLane)
  expect(alone.map(({ lane }) => lane)).toContain('read-3')
  // The last events are still kept for all.
  expect(alone.length).toBeLessThan(10)
})

test('a follower that starts ahead of where the others stopped becomes the head', async () => {
  const { log, follow } = opened()
  log.append(10)
  const early = follow(0)
  await eventually(() => expect(early.next).toBe(10))
  await early.leave()
  log.append(990)
  // The fetch that was in progress when the early follower left has ended.
  await eventually(() => expect(log.fetches.length).toBeGreaterThan(1))
  await new Promise((resolve) => setTimeout(resolve, 5))
  log.fetches.length = 0
  const late = follow(900)
  await eventually(() => expect(late.next).toBe(1_000))
  expect(late.offsets).toEqual(range(900, 1_000))
  expect(new Set(log.fetches.map(({ lane }) => lane))).toEqual(new Set([headLane]))
})

test('a follower that starts ahead of a busy head also follows, and both receive all events', async () => {
  const { log, follow } = opened()
  log.append(1_000)
  const behind = follow(0, () => new Promise(setImmediate))
  const ahead = follow(900)
  log.append(50, 2)
  await eventually(() => expect([behind.next, ahead.next]).toEqual([1_052, 1_052]))
  expect(behind.offsets).toEqual(range(0, 1_050))
  expect(ahead.offsets).toEqual(range(900, 1_050))
})

test('an offset before the start of the log starts there', async () => {
  const { log, follow } = opened()
  log.append(20)
  log.start = 12
  const followers = [follow(0), follow(5)]
  await eventually(() => followers.forEach(({ next }) => expect(next).toBe(20)))
  for (const { offsets, chunks } of followers) {
    expect(offsets).toEqual(range(12, 20))
    expect(chunks[0]).toEqual({ events: [], nextOffset: 12, highWatermark: 20 })
  }
})

test('an offset beyond the end of the log is an error', async () => {
  const { log, follow } = opened()
  log.append(5)
  const lost = follow(6)
  await lost.ended
  expect(lost.error).toMatchObject({ outcome: 'not-there' })
})

test('reports the end of an empty log once, and then only changes', async () => {
  const { log, follow } = opened()
  const follower = follow(0)
  await eventually(() => expect(log.fetches.length).toBeGreaterThan(5))
  expect(follower.chunks).toEqual([{ events: [], nextOffset: 0, highWatermark: 0 }])
  log.append(0, 2)
  await eventually(() => expect(follower.next).toBe(2))
  await eventually(() => expect(log.fetches.length).toBeGreaterThan(15))
  expect(follower.chunks).toHaveLength(2)
})

test('a failed fetch reaches all waiting followers; a follower that restarts misses nothing', async () => {
  const { log, follow } = opened()
  log.append(10)
  const followers = range(0, 3).map(() => follow(0))
  await eventually(() => followers.forEach(({ next }) => expect(next).toBe(10)))
  log.fail(new LogError('unavailable', 'the broker is down'))
  await Promise.all(followers.map(({ ended }) => ended))
  for (const { error } of followers) expect(error).toMatchObject({ outcome: 'unavailable' })
  log.failure = undefined
  log.append(5)
  const again = follow(10)
  await eventually(() => expect(again.next).toBe(15))
  expect(again.offsets).toEqual(range(10, 15))
})

test('aborted followers end immediately, and the failure of their fetch is ignored', async () => {
  const answer = Promise.withResolvers<never>()
  const log = new LogDouble()
  const feed = new PartitionFeed(
    {
      fetch: () => answer.promise,
      fetchAt: () => answer.promise,
      startOffset: () => log.startOffset(),
      endOffset: () => log.endOffset(),
    },
    new FormatDouble(),
  )
  const followers = [new Follower(feed, 0), new Follower(feed, 7)]
  await new Promise(setImmediate)
  await Promise.all(followers.map((follower) => follower.leave()))
  for (const { chunks, error } of followers) expect([chunks, error]).toEqual([[], undefined])
  // An unhandled rejection would fail the run.
  answer.reject(new Error('too late'))
  await new Promise(setImmediate)
})

test('returns the event at a position, or the error not-there', async () => {
  const { log, feed } = opened()
  log.append(2, 1)
  expect(await feed.eventAt(position(source.topic, source.partition, 1))).toMatchObject({
    position: { offset: 1 },
  })
  await expect(feed.eventAt(position(source.topic, source.partition, 2))).rejects.toMatchObject({
    outcome: 'not-there',
  })
})

test('followers that start at any time and read at any pace receive each event once', async () => {
  const someFollower = fc.record({
    ...someReader,
    leavesAfterStep: fc.option(fc.nat(8), { nil: undefined }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(someFollower, { minLength: 1, maxLength: 5 }),
      someAppends,
      fc.nat(60),
      async (who, appends, first) => {
        const log = new LogDouble()
        log.append(150 + first, 1)
        const feed = new PartitionFeed(log, new FormatDouble())
        const here: { readonly follower: Follower; readonly from: number; readonly hasLeft: boolean }[] = []
        const come = (step: number) => {
          for (const { from, pauses, leavesAfterStep } of who.filter(({ afterStep }) => afterStep === step)) {
            const hasLeft = leavesAfterStep !== undefined && leavesAfterStep > step
            const follower = new Follower(feed, from, pacedBy(pauses))
            here.push({ follower, from, hasLeft })
            if (hasLeft) setTimeout(() => follower.leaving.abort(), leavesAfterStep - step)
          }
        }
        for (const [step, { count, markers, recordsMax }] of appends.entries()) {
          come(step)
          log.recordsMax = recordsMax
          log.append(count, markers)
          await new Promise(setImmediate)
        }
        for (const { follower, from, hasLeft } of here) {
          const expected = log.offsets.filter((offset) => offset >= from)
          if (hasLeft) await follower.ended
          else await eventually(() => expect(follower.next).toBe(log.end))
          expect(follower.offsets).toEqual(hasLeft ? expected.slice(0, follower.offsets.length) : expected)
          await follower.leave()
          expect(follower.error).toBeUndefined()
        }
      },
    ),
    { numRuns: 100 },
  )
}, 60_000)
