import fc from 'fast-check'
import pino from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { pause } from '#async'
import { partitionKey, type TopicPartition } from '#domain'
import { type KafkaCluster, LogError } from '#kafka'

import { PartitionGroup } from './partition-group.ts'
import { TermLoop } from './term-loop.ts'
import type { TermContext, TermWork } from './term-work.ts'
import { MembershipDouble } from './testing/index.ts'

const logger = pino({ level: 'silent' })
const places: readonly TopicPartition[] = [0, 1, 2].map((partition) => ({ topic: 'eventstore.a', partition }))

/** Controls the steps of all partitions, and counts the concurrent terms of each. */
class Runs {
  readonly held = new Map<string, number>()
  most = 0
  fails: () => Error | undefined = () => undefined
  stepMs = 0

  workOf(place: TopicPartition): TermWork<string> {
    const key = partitionKey(place)
    const step = async () => {
      await pause(this.stepMs)
      const error = this.fails()
      if (error !== undefined) throw error
    }
    return {
      prepare: step,
      takeOver: async () => {
        await step()
        this.held.set(key, (this.held.get(key) ?? 0) + 1)
        this.most = Math.max(this.most, this.held.get(key) ?? 0)
        return key
      },
      catchUp: step,
      serve: async (_: string, { signal, serving }: TermContext) => {
        serving()
        await pause(500, signal)
        await step()
      },
      end: () => void this.held.set(key, (this.held.get(key) ?? 0) - 1),
    }
  }

  get terms(): number {
    return [...this.held.values()].reduce((sum, count) => sum + count, 0)
  }
}

function groupOf(runs: Runs) {
  const members: MembershipDouble[] = []
  const group = new PartitionGroup({
    member: 'counter',
    cluster: undefined as unknown as KafkaCluster,
    groupId: 'counters',
    topics: ['eventstore.a'],
    advertisedUrl: 'http://127.0.0.1:1',
    open: (place) => new TermLoop({ place, work: runs.workOf(place), logger }),
    newMembership: (options) => {
      members.push(new MembershipDouble(options))
      return members[0] ?? expect.unreachable()
    },
    logger,
  })
  return { group, member: members[0] ?? expect.unreachable() }
}

async function stopped(group: { stop(): Promise<void> }): Promise<void> {
  const ended = group.stop()
  await vi.advanceTimersByTimeAsync(1_000)
  await ended
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('serves assigned partitions, hands back revoked ones, and reports both', async () => {
  const runs = new Runs()
  const { group, member } = groupOf(runs)
  expect(() => group.checkServing()).toThrow('the group of counters has not been joined yet')
  await group.start()
  void member.grant(...places)
  await vi.advanceTimersByTimeAsync(10)
  expect(group.checkServing()).toEqual({ owned: 3 })
  void member.revoke(...places.slice(1))
  await vi.advanceTimersByTimeAsync(10)
  expect(group.checkServing()).toEqual({ owned: 1 })
  expect(group.ownerOf({ topic: 'eventstore.a', partition: 1 })).toBeUndefined()
  expect(runs.terms).toBe(1)
  await stopped(group)
  expect(runs.terms).toBe(0)
})

test('a partition that is not served makes the group unready, unless it waits for an operator', async () => {
  const runs = new Runs()
  const { group, member } = groupOf(runs)
  await group.start()
  runs.fails = () => new Error('Redis is down')
  void member.grant(...places)
  await vi.advanceTimersByTimeAsync(1)
  expect(() => group.checkServing()).toThrow('3 of 3 owned partitions are not served yet')
  runs.fails = () => new LogError('events-deleted', 'the head is gone')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(group.checkServing()).toMatchObject({
    owned: 3,
    waitForOperator: places.map((place) => ({
      ...place,
      state: 'events-deleted',
      reason: 'the head is gone',
    })),
  })
  await stopped(group)
})

test('a partition that is assigned again waits until its previous owner has ended', async () => {
  const runs = new Runs()
  runs.stepMs = 1_000
  const { group, member } = groupOf(runs)
  await group.start()
  void member.grant(...places)
  await vi.advanceTimersByTimeAsync(3_100)
  void member.revoke(...places)
  await vi.advanceTimersByTimeAsync(1)
  // The previous owners are in a slow step; the next ones would be fast.
  runs.stepMs = 0
  void member.grant(...places)
  await vi.advanceTimersByTimeAsync(20_000)
  expect([runs.most, group.owners.length]).toEqual([1, 3])
  await stopped(group)
  expect(runs.terms).toBe(0)
})

const errors = [
  undefined,
  undefined,
  new Error('Redis is down'),
  new LogError('fenced', 'fenced'),
  new LogError('unknown', 'unknown'),
  new LogError('unavailable', 'unavailable'),
]

/** An action on some partitions, after a delay. */
const event = fc.record({
  kind: fc.constantFrom('grant', 'revoke', 'fail', 'heal'),
  which: fc.subarray([...places], { minLength: 1 }),
  error: fc.constantFrom(...errors),
  stepMs: fc.constantFrom(0, 7, 400),
  afterMs: fc.oneof(fc.constantFrom(0, 1, 10), fc.integer({ min: 0, max: 4_000 })),
})

test('under any schedule a partition has one term at a time, owned partitions are eventually served, and a stop ends all', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
      const runs = new Runs()
      const { group, member } = groupOf(runs)
      await group.start()
      for (const { kind, which, error, stepMs, afterMs } of events) {
        runs.stepMs = stepMs
        if (kind === 'grant') void member.grant(...which)
        if (kind === 'revoke') void member.revoke(...which)
        if (kind === 'fail') runs.fails = () => error
        if (kind === 'heal') runs.fails = () => undefined
        await vi.advanceTimersByTimeAsync(afterMs)
        expect(runs.most).toBeLessThanOrEqual(1)
      }
      runs.fails = () => undefined
      runs.stepMs = 0
      await vi.advanceTimersByTimeAsync(120_000)
      expect(group.owners).toHaveLength(member.partitions.length)
      expect(group.owners.every(({ isServing }) => isServing)).toBe(true)
      await stopped(group)
      expect([runs.terms, runs.most <= 1, vi.getTimerCount()]).toEqual([0, true, 0])
    }),
    { numRuns: 100 },
  )
}, 60_000)
