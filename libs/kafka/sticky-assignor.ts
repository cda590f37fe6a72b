import { partitionKey, type TopicPartition } from '#domain'

/** A joining member of the group. */
export interface StickyMember {
  readonly memberId: string
  /** It can get partitions of these topics only. */
  readonly topics: readonly string[]
  /** What it owned before, as `topic/partition`. */
  readonly owned: readonly string[]
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
  return [...members].sort(byId).map(({ memberId, topics, owned }) => {
    const share = { memberId, topics: new Set(topics), kept: new Set<string>() }
    for (const key of owned) {
      const partition = free.get(key)
      if (partition === undefined || !share.topics.has(partition.topic)) continue
      free.delete(key)
      share.kept.add(key)
    }
    return share
  })
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
  for (const partition of partitions) {
    const key = partitionKey(partition)
    if (!taken.has(key)) poorest(shares, partition.topic)?.kept.add(key)
  }
  const byKey = new Map(partitions.map((partition) => [partitionKey(partition), partition]))
  return new Map(
    shares.map(({ memberId, kept }) => [memberId, [...kept].map((key) => byKey.get(key) as TopicPartition)]),
  )
}
