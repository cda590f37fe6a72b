import { partitionKey, partitionOfKey, type TopicPartition } from '#domain'

import { rendezvousRank } from './rendezvous-rank.ts'

/** A joining member of the group. */
export interface StickyMember {
  readonly memberId: string
  /** It can get partitions of these topics only. */
  readonly topics: readonly string[]
  /** What it owned before, as `topic/partition`. */
  readonly owned: readonly string[]
  /** What it has taken over ahead of the group. It keeps them, unless another member owned them before. */
  readonly early?: readonly string[]
}

interface Share {
  readonly memberId: string
  readonly topics: ReadonlySet<string>
  readonly kept: Set<string>
}

const byId = (a: StickyMember, b: StickyMember): number => (a.memberId < b.memberId ? -1 : 1)

/** Each member keeps the partitions it owned and may still have. If two claim the same one, the first by id keeps it. */
function keepOwned(members: readonly StickyMember[], partitions: readonly TopicPartition[]): Share[] {
  const free = new Map(partitions.map((partition) => [partitionKey(partition), partition]))
  const sorted = [...members].sort(byId)
  const shares = sorted.map(({ memberId, topics }): Share => ({
    memberId,
    topics: new Set(topics),
    kept: new Set(),
  }))
  const keep = (claimsOf: (member: StickyMember) => readonly string[]) => {
    for (const [index, share] of shares.entries()) {
      for (const key of claimsOf(sorted[index] as StickyMember)) {
        const partition = free.get(key)
        if (partition === undefined || !share.topics.has(partition.topic)) continue
        free.delete(key)
        share.kept.add(key)
      }
    }
  }
  keep(({ owned }) => owned)
  keep(({ early = [] }) => early)
  return shares
}

/** Cuts each share to the even size. The remainder of the division stays with members that have more. */
function cutToFair(shares: readonly Share[], partitions: number): void {
  const fair = Math.floor(partitions / shares.length)
  let extras = partitions % shares.length
  for (const { kept } of shares) {
    const quota = kept.size > fair && extras > 0 ? fair + 1 : fair
    if (quota > fair) extras--
    for (const key of [...kept].slice(quota)) kept.delete(key)
  }
}

const poorest = (shares: readonly Share[], topic: string): Share | undefined => {
  let found: Share | undefined
  for (const share of shares) {
    if (share.topics.has(topic) && (found === undefined || share.kept.size < found.kept.size)) found = share
  }
  return found
}

/**
 * Gives each free partition to the member that ranks first for it among those below the even size. When members fail one
 * after the other, most of what was given before stays the same.
 * Source: V. Mirrokni, M. Thorup and M. Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018.
 */
function giveFree(shares: readonly Share[], free: readonly TopicPartition[], partitions: number): void {
  const fair = Math.floor(partitions / shares.length)
  let extras = (partitions % shares.length) - shares.filter(({ kept }) => kept.size > fair).length
  for (const partition of free) {
    const key = partitionKey(partition)
    const size = extras > 0 ? fair + 1 : fair
    const withRoom = shares.filter(({ topics, kept }) => topics.has(partition.topic) && kept.size < size)
    const share = firstInRank(withRoom, key) ?? poorest(shares, partition.topic)
    share?.kept.add(key)
    if (share?.kept.size === fair + 1) extras--
  }
}

const firstInRank = (shares: readonly Share[], key: string): Share | undefined => {
  let found: { readonly share: Share; readonly rank: number } | undefined
  for (const share of shares) {
    const rank = rendezvousRank(share.memberId, key)
    if (found === undefined || rank > found.rank) found = { share, rank }
  }
  return found?.share
}

/**
 * Distributes partitions among members: each partition once, evenly (within one, if all members can have all topics), with the
 * fewest moves. The result depends only on the input, not on the order of members.
 * A partition whose topic no member subscribes to is left out.
 */
export function assignSticky(
  members: readonly StickyMember[],
  partitions: readonly TopicPartition[],
): Map<string, TopicPartition[]> {
  if (members.length === 0) return new Map()
  const shares = keepOwned(members, partitions)
  cutToFair(shares, partitions.length)
  const taken = new Set(shares.flatMap(({ kept }) => [...kept]))
  const free = partitions.filter((partition) => !taken.has(partitionKey(partition)))
  giveFree(shares, free, partitions.length)
  const byKey = new Map(partitions.map((partition) => [partitionKey(partition), partition]))
  return new Map(
    shares.map(({ memberId, kept }) => [memberId, [...kept].map((key) => byKey.get(key) as TopicPartition)]),
  )
}

/**
 * Who takes over the partitions of members that have died, before the group knows of it: the members that {@link assignSticky}
 * will name when the group has removed the dead ones. So all members compute the same, and nothing moves afterwards.
 * @param survivors with what the group has assigned to them
 * @param orphans the partitions of the dead, in any order
 * @returns the member id of each partition's successor, by `topic/partition`
 */
export function successorsOf(
  survivors: readonly StickyMember[],
  orphans: readonly TopicPartition[],
): ReadonlyMap<string, string> {
  if (survivors.length === 0) return new Map()
  const owned = survivors.flatMap(({ owned: keys }) => keys)
  const shares = keepOwned(survivors, owned.map(partitionOfKey))
  const sorted = [...orphans].sort(byPlace)
  giveFree(shares, sorted, owned.length + orphans.length)
  const wanted = new Set(sorted.map(partitionKey))
  return new Map(
    shares.flatMap(({ memberId, kept }) =>
      [...kept].filter((key) => wanted.has(key)).map((key) => [key, memberId] as const),
    ),
  )
}

/** The order in which the leader distributes partitions. */
const byPlace = (a: TopicPartition, b: TopicPartition): number =>
  a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
