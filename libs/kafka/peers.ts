import { pause } from '#async'

import type { ForeignMember, GroupTable, Owner, OwnersTable } from './group-protocol.ts'

/** `refuted`: something answers at the member's URL, and it is not that member. `unknown`: nothing answered. */
export type PeerVerdict = 'verified' | 'refuted' | 'unknown'

/** Asks whatever answers at a member's URL who it is. Must come back soon, whatever is there. */
export type VerifyPeer = (owner: Owner) => Promise<PeerVerdict>

/** Where the owner of a partition takes requests. */
export interface Route {
  readonly memberId: string
  /** Absent until what answers there has proved to be this member. */
  readonly url?: string
}

/** By `topic/partition`. */
export type RoutingTable = ReadonlyMap<string, Route>

/** Of more members than this the rest counts as unknown. */
const membersMax = 500
/** How long a leader waits for members that do not answer; well within the group's rebalance time-out. */
const settleMs = 2_500
const askAgainMs = 100

/**
 * Which members of a group can be trusted to be there. A group's member can advertise any URL, so nobody is sent to one that
 * has not answered as the member that advertised it. Members that are none of ours are reported once each.
 */
export class Peers {
  readonly #self: Pick<Owner, 'url' | 'instance'>
  readonly #verify: VerifyPeer
  readonly #report: (foreign: readonly ForeignMember[], fresh: readonly ForeignMember[]) => void
  #reported = new Set<string>()

  /** @param report all foreign members as they are now, and those among them that were not reported before. */
  constructor(
    self: Pick<Owner, 'url' | 'instance'>,
    verify: VerifyPeer,
    report: (foreign: readonly ForeignMember[], fresh: readonly ForeignMember[]) => void,
  ) {
    this.#self = self
    this.#verify = verify
    this.#report = report
  }

  /**
   * Members to give no partitions: those that are refuted, and those that have not answered for a while, because nobody could be
   * sent there. One that was verified before needs not answer now.
   */
  async unfit(members: readonly Owner[]): Promise<readonly ForeignMember[]> {
    const deadlineMs = performance.now() + settleMs
    for (;;) {
      const verdicts = await this.#verdicts(members)
      const isOver = performance.now() >= deadlineMs
      if (isOver || [...verdicts.values()].every((verdict) => verdict !== 'unknown')) {
        return members.flatMap((member) => problemOf(member, verdicts.get(member.memberId)))
      }
      await pause(askAgainMs)
    }
  }

  /** The same table, with the URLs of those members only that have proved to be there. */
  async route(owners: OwnersTable): Promise<RoutingTable> {
    const verdicts = await this.#verdicts([...owners.values()])
    return new Map(
      [...owners].map(([key, { memberId, url }]) => [
        key,
        { memberId, ...(verdicts.get(memberId) === 'verified' && { url }) },
      ]),
    )
  }

  /** Members of a settled group that are none of ours: as the leader saw them, or nearly so. */
  async unfitNow({ members, owners }: Pick<GroupTable, 'members' | 'owners'>): Promise<ForeignMember[]> {
    const verdicts = await this.#verdicts(members)
    const owning = new Set([...owners.values()].map(({ memberId }) => memberId))
    return members.flatMap((member) => {
      const verdict = verdicts.get(member.memberId)
      return verdict === 'unknown' && owning.has(member.memberId) ? [] : problemOf(member, verdict)
    })
  }

  /** What is foreign now. Reporting can fail nothing. */
  foreign(foreign: readonly ForeignMember[]): void {
    const fresh = foreign.filter(({ memberId }) => !this.#reported.has(memberId))
    this.#reported = new Set(foreign.map(({ memberId }) => memberId))
    try {
      this.#report(foreign, fresh)
    } catch {
      // The group's work counts more than what is said of it.
    }
  }

  async #verdicts(members: readonly Owner[]): Promise<ReadonlyMap<string, PeerVerdict>> {
    const distinct = [...new Map(members.map((member) => [member.memberId, member])).values()]
    const asked = distinct.slice(0, membersMax)
    const verdicts = await Promise.all(asked.map((member) => this.#verdict(member)))
    return new Map(asked.map(({ memberId }, index) => [memberId, verdicts[index] ?? 'unknown']))
  }

  async #verdict(owner: Owner): Promise<PeerVerdict> {
    if (owner.url === this.#self.url && owner.instance === this.#self.instance) return 'verified'
    try {
      return await this.#verify(owner)
    } catch {
      return 'unknown'
    }
  }
}

function problemOf({ memberId, url }: Owner, verdict: PeerVerdict = 'unknown'): ForeignMember[] {
  if (verdict === 'verified') return []
  const what =
    verdict === 'refuted' ? 'what answers at its URL is not this member' : 'nothing answers at its URL'
  return [{ memberId, reason: `${what}: ${url}` }]
}
