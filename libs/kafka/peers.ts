import { pause } from '#async'

import type { ForeignMember, Member, Owner, OwnersTable } from './group-protocol.ts'

/** `refuted`: another process answers at the member's URL. `unknown`: nothing answered. */
export type PeerVerdict = 'verified' | 'refuted' | 'unknown'

/** Checks that the process at a member's URL is that member. Must return soon, whatever answers there. */
export type VerifyPeer = (owner: Owner) => Promise<PeerVerdict>

/** Where the owner of a partition takes requests. */
export interface Route {
  readonly memberId: string
  /** Absent until the process there has proved to be this member. */
  readonly url?: string
}

/** By `topic/partition`. */
export type RoutingTable = ReadonlyMap<string, Route>

/** A member as other members see it. */
export interface Peer extends Member {
  /** Whether the process at its URL has proved to be this member. */
  readonly isVerified: boolean
}

/** Members and owners of the group, as one member sees them. */
export interface GroupView {
  readonly routes: RoutingTable
  readonly members: readonly Peer[]
}

/** Members beyond this count as unknown. */
const membersMax = 500
/** How long a leader waits for members that do not answer; well below the group's rebalance time-out. */
const settleMs = 2_500
const askAgainMs = 100

/**
 * Verifies the addresses of group members. A member can advertise any URL, so requests go only to a URL where the member that
 * advertised it has answered. Each foreign member is reported once.
 */
export class Peers {
  readonly #self: Pick<Owner, 'url' | 'instance'>
  readonly #verify: VerifyPeer
  readonly #report: (foreign: readonly ForeignMember[], fresh: readonly ForeignMember[]) => void
  #reported = new Set<string>()

  /** @param report called with all current foreign members, and those not reported before. */
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
   * Members that must not get partitions: refuted ones, and ones that have not answered for a while, because no request would
   * reach them. A member verified before need not answer now.
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

  /** The same table, with the URLs of verified members only. */
  async route(owners: OwnersTable): Promise<RoutingTable> {
    const verdicts = await this.#verdicts([...owners.values()])
    return new Map(
      [...owners].map(([key, { memberId, url }]) => [
        key,
        { memberId, ...(verdicts.get(memberId) === 'verified' && { url }) },
      ]),
    )
  }

  /** The members, with what is known about their addresses. */
  async view(members: readonly Member[]): Promise<readonly Peer[]> {
    const verdicts = await this.#verdicts(members)
    return members.map((member) => ({ ...member, isVerified: verdicts.get(member.memberId) === 'verified' }))
  }

  /** Foreign members of a stable group, approximately as the leader saw them. */
  async unfitNow({
    members,
    owners,
  }: {
    readonly members: readonly Owner[]
    readonly owners: OwnersTable
  }): Promise<ForeignMember[]> {
    const verdicts = await this.#verdicts(members)
    const owning = new Set([...owners.values()].map(({ memberId }) => memberId))
    return members.flatMap((member) => {
      const verdict = verdicts.get(member.memberId)
      return verdict === 'unknown' && owning.has(member.memberId) ? [] : problemOf(member, verdict)
    })
  }

  /** Reports the current foreign members. Never throws. */
  foreign(foreign: readonly ForeignMember[]): void {
    const fresh = foreign.filter(({ memberId }) => !this.#reported.has(memberId))
    this.#reported = new Set(foreign.map(({ memberId }) => memberId))
    try {
      this.#report(foreign, fresh)
    } catch {
      // A failed report must not fail the group's work.
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
  const what = verdict === 'refuted' ? 'another process answers at its URL' : 'nothing answers at its URL'
  return [{ memberId, reason: `${what}: ${url}` }]
}
