import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { partitionKey, type TopicPartition } from '#domain'

import { assignSticky, type StickyMember } from './sticky-assignor.ts'

const partitionsOf = (topic: string, count: number): TopicPartition[] =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }))

const topics = ['a', 'b']
const anyPartitions = fc
  .tuple(fc.nat(20), fc.nat(20))
  .map(([a, b]) => [...partitionsOf('a', a), ...partitionsOf('b', b)])

/** Members with claims that may be stale, duplicate, or to partitions that no longer exist. */
const anyMembers = fc.uniqueArray(
  fc.record({
    memberId: fc.stringMatching(/^m[a-z]{1,6}$/),
    topics: fc.constant(topics),
    owned: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'gone'), fc.nat(25)).map(([t, p]) => `${t}/${p}`)),
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
  members.map((member) => ({ ...member, owned: (assigned.get(member.memberId) ?? []).map(partitionKey) }))

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
})
