import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { partitionKey, type TopicPartition } from '#domain'

import { assignSticky, type StickyMember, successorsOf } from './sticky-assignor.ts'

const partitionsOf = (topic: string, count: number): TopicPartition[] =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }))

const topics = ['a', 'b']
const anyPartitions = fc
  .tuple(fc.nat(20), fc.nat(20))
  .map(([a, b]) => [...partitionsOf('a', a), ...partitionsOf('b', b)])

const anyClaims = fc.array(
  fc.tuple(fc.constantFrom('a', 'b', 'gone'), fc.nat(25)).map(([t, p]) => `${t}/${p}`),
)

/** Members with claims that may be stale, duplicate, or to partitions that no longer exist. */
const anyMembers = fc.uniqueArray(
  fc.record({
    memberId: fc.stringMatching(/^m[a-z]{1,6}$/),
    topics: fc.constant(topics),
    owned: anyClaims,
    early: fc.oneof(fc.constant([]), anyClaims),
  }),
  { minLength: 1, maxLength: 8, selector: ({ memberId }) => memberId },
)

const keysOf = (assigned: ReadonlyMap<string, readonly TopicPartition[]>): string[] =>
  [...assigned.values()].flat().map(partitionKey)

const sizesOf = (assigned: ReadonlyMap<string, readonly TopicPartition[]>): number[] =>
  [...assigned.values()].map((partitions) => partitions.length)

/** The members as they would rejoin after this assignment. */
const settled = (
  members: readonly StickyMember[],
  assigned: ReadonlyMap<string, readonly TopicPartition[]>,
): StickyMember[] =>
  members.map(({ memberId, topics: its }) => ({
    ...{ memberId, topics: its },
    owned: (assigned.get(memberId) ?? []).map(partitionKey),
  }))

const stayed = (
  before: ReadonlyMap<string, readonly TopicPartition[]>,
  after: ReadonlyMap<string, readonly TopicPartition[]>,
): number =>
  [...before].reduce((sum, [memberId, partitions]) => {
    const now = new Set((after.get(memberId) ?? []).map(partitionKey))
    return sum + partitions.filter((partition) => now.has(partitionKey(partition))).length
  }, 0)

describe('the sticky assignment', () => {
  test('gives every partition to exactly one member', () => {
    fc.assert(
      fc.property(anyMembers, anyPartitions, (members, partitions) => {
        const keys = keysOf(assignSticky(members, partitions))
        expect(keys.sort()).toEqual(partitions.map(partitionKey).sort())
      }),
    )
  })

  test('is even within one', () => {
    fc.assert(
      fc.property(anyMembers, anyPartitions, (members, partitions) => {
        const sizes = sizesOf(assignSticky(members, partitions))
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('is the same whatever the order of members', () => {
    fc.assert(
      fc.property(anyMembers, anyPartitions, (members, partitions) => {
        const turned = assignSticky([...members].reverse(), partitions)
        for (const [memberId, assigned] of assignSticky(members, partitions)) {
          expect(turned.get(memberId)).toEqual(assigned)
        }
      }),
    )
  })

  test('moves nothing when no member joins or leaves', () => {
    fc.assert(
      fc.property(anyMembers, anyPartitions, (members, partitions) => {
        const before = assignSticky(members, partitions)
        expect(stayed(before, assignSticky(settled(members, before), partitions))).toBe(partitions.length)
      }),
    )
  })

  test('moves only what a new member gets', () => {
    fc.assert(
      fc.property(anyMembers, anyPartitions, (members, partitions) => {
        const before = assignSticky(members, partitions)
        const newcomer = { memberId: 'newcomer', topics, owned: [] }
        const after = assignSticky([...settled(members, before), newcomer], partitions)
        expect(stayed(before, after)).toBe(partitions.length - (after.get('newcomer')?.length ?? 0))
      }),
    )
  })

  test('moves only what a leaving member had', () => {
    fc.assert(
      fc.property(anyMembers, anyPartitions, (members, partitions) => {
        fc.pre(members.length > 1)
        const before = assignSticky(members, partitions)
        const after = assignSticky(settled(members.slice(1), before), partitions)
        const left = before.get(members[0]?.memberId ?? '')?.length ?? 0
        expect(stayed(before, after)).toBe(partitions.length - left)
      }),
    )
  })

  test('never gives a member a topic that it does not subscribe to', () => {
    const members = [
      { memberId: 'old', topics: ['a'], owned: ['b/0'] },
      { memberId: 'new', topics: ['a', 'b'], owned: [] },
    ]
    const assigned = assignSticky(members, [...partitionsOf('a', 4), ...partitionsOf('b', 4)])
    expect(assigned.get('old')?.every(({ topic }) => topic === 'a')).toBe(true)
    expect(keysOf(assigned)).toHaveLength(8)
    expect(keysOf(assignSticky(members.slice(0, 1), partitionsOf('b', 2)))).toEqual([])
  })

  test('without members is empty', () => {
    expect(assignSticky([], partitionsOf('a', 2))).toEqual(new Map())
  })

  test('prefers who owned a partition to who took it over early', () => {
    const members = [
      { memberId: 'a', topics, owned: [], early: ['a/0'] },
      { memberId: 'b', topics, owned: ['a/0'] },
    ]
    const assigned = assignSticky(members, partitionsOf('a', 2))
    expect(assigned.get('b')).toEqual([{ topic: 'a', partition: 0 }])
  })
})

describe('the successors of dead members', () => {
  /** A balanced group, some members of which die. */
  const anyLoss = fc
    .tuple(anyMembers, anyPartitions, fc.nat())
    .filter(([members]) => members.length > 1)
    .map(([members, partitions, seed]) => {
      const assigned = assignSticky(members, partitions)
      const dead = 1 + (seed % (members.length - 1))
      const all = settled(members, assigned)
      const orphans = all.slice(0, dead).flatMap(({ memberId }) => assigned.get(memberId) ?? [])
      return { survivors: all.slice(dead), orphans, partitions }
    })

  test('are survivors, one for each of their partitions, whatever the order of members and partitions', () => {
    fc.assert(
      fc.property(anyLoss, ({ survivors, orphans }) => {
        const successors = successorsOf(survivors, orphans)
        expect([...successors.keys()].sort()).toEqual(orphans.map(partitionKey).sort())
        const alive = new Set(survivors.map(({ memberId }) => memberId))
        expect([...successors.values()].every((memberId) => alive.has(memberId))).toBe(true)
        const turned = successorsOf([...survivors].reverse(), [...orphans].reverse())
        expect(new Map([...turned].sort())).toEqual(new Map([...successors].sort()))
      }),
    )
  })

  test('keep everything when the group removes the dead members, whether or not the leader knows what they took over', () => {
    fc.assert(
      fc.property(anyLoss, fc.boolean(), ({ survivors, orphans, partitions }, isTold) => {
        const successors = successorsOf(survivors, orphans)
        const earlyOf = (id: string) => [...successors].flatMap(([key, to]) => (to === id ? [key] : []))
        const rejoined = survivors.map((member) => ({
          ...member,
          early: isTold ? earlyOf(member.memberId) : [],
        }))
        const assigned = assignSticky(rejoined, partitions)
        for (const { memberId, owned } of survivors) {
          const expected = [...owned, ...earlyOf(memberId)].sort()
          expect((assigned.get(memberId) ?? []).map(partitionKey).sort()).toEqual(expected)
        }
      }),
    )
  })

  test('mostly stay the same when another member dies', () => {
    const members = Array.from({ length: 10 }, (_, index) => ({ memberId: `m${index}`, topics, owned: [] }))
    const partitions = partitionsOf('a', 200)
    const all = settled(members, assignSticky(members, partitions))
    const ofFirst = (all[0]?.owned ?? []).map((key) => ({ topic: 'a', partition: Number(key.slice(2)) }))
    const before = successorsOf(all.slice(1), ofFirst)
    const ofSecond = (all[1]?.owned ?? []).map((key) => ({ topic: 'a', partition: Number(key.slice(2)) }))
    const after = successorsOf(all.slice(2), [...ofFirst, ...ofSecond])
    const alive = [...before].filter(([, memberId]) => memberId !== all[1]?.memberId)
    const moved = alive.filter(([key, memberId]) => after.get(key) !== memberId)
    expect(moved.length).toBeLessThanOrEqual(ofFirst.length / 4)
  })

  test('are none without survivors', () => {
    expect(successorsOf([], partitionsOf('a', 2))).toEqual(new Map())
  })
})
