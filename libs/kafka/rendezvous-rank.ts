/**
 * The rank of a member for a key; the highest one is chosen. Any two processes compute the same. Without a member, only its
 * own keys go to others.
 * Sources: D. Thaler and C. Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", IEEE/ACM ToN 6(1), 1998; FNV-1a
 * (Fowler, Noll, Vo) and the finalizer of MurmurHash3 (Appleby).
 * @returns 32 bits
 */
export function rendezvousRank(memberId: string, key: string): number {
  let hash = 0x811c9dc5
  const text = `${memberId} ${key}`
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
