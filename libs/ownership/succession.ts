import type { Logger } from 'pino'

import { pause } from '#async'
import { partitionKey, partitionOfKey, type TopicPartition } from '#domain'
import {
  type GroupMembership,
  type GroupView,
  type Peer,
  type Route,
  type RoutingTable,
  successorsOf,
  type VerifyPeer,
} from '#kafka'
import { reportSafely } from '#observability'

import { EarlyPace } from './early-pace.ts'
import { PeerWatch } from './peer-watch.ts'
import { type PortState, probePort } from './probe-port.ts'

/**
 * What becomes of a partition that was taken over ahead of the group: `taken`, then `kept` (the group has assigned it),
 * `handed-back` (its owner lives, or the group has named another) or `lost` (another owner has taken over).
 */
export type EarlyStep = 'taken' | 'kept' | 'handed-back' | 'lost'

/** How a group takes partitions over ahead of Kafka's session time-out. */
export interface SuccessionSettings {
  /** Between two probes of a member, about. */
  readonly probeIntervalMs: number
  /** Asks the process at a member's URL who it is, without a cache. */
  readonly identify: VerifyPeer
  /** Default: {@link probePort}. */
  readonly probe?: (url: string) => Promise<PortState>
  /** Called at each step of an early take-over. */
  readonly onStep?: (step: EarlyStep) => void
}

interface SuccessionParts extends SuccessionSettings {
  readonly membership: Pick<GroupMembership, 'instance' | 'joinedAtMs' | 'view'>
  readonly advertisedUrl: string
  readonly isOwned: (key: string) => boolean
  /** @param isWanted whether the partition is still to be opened, asked when its previous owner here has ended */
  readonly open: (place: TopicPartition, isWanted: () => boolean) => Promise<void>
  readonly close: (key: string) => Promise<void>
  readonly logger: Logger
}

/** The successor of a dead owner. */
interface Heir {
  /** Member id of the dead owner. */
  readonly of: string
  readonly route: Route
}

/** The maximum age of what is known about the group. */
const viewMsMax = 5_000
/** The same while a member is down, and after members have come or gone. */
const changingViewMsMax = 500
const changingMs = 5_000

/**
 * Takes partitions over ahead of the group: when the port of a member refuses connections, its partitions go to successors
 * that all members compute alike, until the group has noticed as well. This is liveness only; the fence keeps it safe. A
 * partition that is lost again is left to the group ({@link EarlyPace}).
 */
export class Succession {
  readonly #parts: SuccessionParts
  readonly #watch: PeerWatch
  readonly #pace: EarlyPace
  readonly #stopping = new AbortController()
  /** With the member id of the owner that had ended. */
  readonly #early = new Map<string, { readonly place: TopicPartition; readonly of: string }>()
  readonly #heirs = new Map<string, Heir>()
  #view: GroupView = { routes: new Map(), members: [] }
  #viewAtMs = -Infinity
  #overlaid: { readonly from: RoutingTable; readonly table: RoutingTable } | undefined
  #life: Promise<unknown> = Promise.resolve()

  constructor(parts: SuccessionParts, pace = new EarlyPace()) {
    const { membership, advertisedUrl: url, probe = probePort, identify, logger } = parts
    this.#parts = parts
    this.#pace = pace
    const self = { url, instance: membership.instance }
    const onChange = () => void this.#lookAndSettle()
    this.#watch = new PeerWatch({ self, probe, identify, onChange, logger })
  }

  /** The partitions that this process owns ahead of the group. */
  get early(): readonly TopicPartition[] {
    return [...this.#early.values()].map(({ place }) => place)
  }

  /** Number of members whose ports refuse connections. */
  get downCount(): number {
    return this.#watch.downCount
  }

  start(): void {
    this.#life = this.#live()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#watch.stop()
    await this.#life
  }

  /** A request has been refused at the URL of a member, so it is probed now. */
  suspect(url: string): void {
    this.#watch.suspect(url)
  }

  /** The group has assigned partitions to this process. Those that it owns already are kept. */
  assigned(places: readonly TopicPartition[]): void {
    for (const key of places.map(partitionKey)) {
      if (this.#early.delete(key)) this.#step(key, 'kept')
    }
  }

  /** The term of an owner in this process has ended. An early owner has one term only. */
  lost(place: TopicPartition): void {
    const key = partitionKey(place)
    if (!this.#early.delete(key)) return
    this.#pace.lost(key)
    this.#heirs.delete(key)
    this.#step(key, 'lost')
    void this.#parts.close(key)
  }

  /** The group's table with the successors of dead owners. */
  overlay(routes: RoutingTable): RoutingTable {
    if (this.#heirs.size === 0) return routes
    if (this.#overlaid?.from === routes) return this.#overlaid.table
    const table = new Map(routes)
    for (const [key, { of, route }] of this.#heirs) {
      if (table.get(key)?.memberId === of) table.set(key, route)
    }
    this.#overlaid = { from: routes, table }
    return table
  }

  async #live(): Promise<void> {
    const { probeIntervalMs } = this.#parts
    while (!this.#stopping.signal.aborted) {
      await this.#round()
      await pause(probeIntervalMs * (0.75 + Math.random() / 2), this.#stopping.signal)
    }
  }

  async #round(): Promise<void> {
    const ageMs = performance.now() - this.#viewAtMs
    if (ageMs >= (this.#isChanging ? changingViewMsMax : viewMsMax)) await this.#lookAndSettle()
    await this.#watch.round()
  }

  get #isChanging(): boolean {
    const isNew = this.#viewAtMs < this.#parts.membership.joinedAtMs + changingMs
    return isNew || this.downCount > 0 || this.#early.size > 0
  }

  /** Without an answer from Kafka nothing changes, because a take-over needs Kafka as well. */
  async #lookAndSettle(): Promise<void> {
    try {
      this.#view = await this.#parts.membership.view()
    } catch {
      return
    }
    this.#viewAtMs = performance.now()
    this.#watch.watch(this.#view.members)
    if (!this.#stopping.signal.aborted) this.#settle()
  }

  #settle(): void {
    const members = new Map(this.#view.members.map((member) => [member.memberId, member]))
    const self = this.#view.members.find(({ instance }) => instance === this.#parts.membership.instance)
    for (const [key, { of }] of this.#early) {
      const owner = members.get(this.#view.routes.get(key)?.memberId ?? '')
      const isLiving = owner !== undefined && !this.#watch.isDown(owner.instance)
      if (!isLiving || owner === self) continue
      // Its port may refuse again soon.
      if (owner.memberId === of) this.#pace.lost(key)
      this.#handBack(key)
    }
    this.#heirs.clear()
    this.#overlaid = undefined
    for (const [key, heir] of this.#heirsNow(members)) {
      const isSelf = heir.route.memberId === self?.memberId
      // This process has lost it once: the owner lives, whatever its port says.
      if (isSelf && !this.#pace.mayTake(key)) continue
      this.#heirs.set(key, heir)
      if (isSelf && !this.#parts.isOwned(key)) this.#take(key, heir.of, members.get(heir.of)?.url)
    }
  }

  #heirsNow(members: ReadonlyMap<string, Peer>): ReadonlyMap<string, Heir> {
    if (this.downCount === 0) return new Map()
    const { routes } = this.#view
    const ownedBy = Map.groupBy(routes.keys(), (key) => routes.get(key)?.memberId)
    const [down, up] = [[] as Peer[], [] as Peer[]]
    for (const member of members.values()) {
      if (this.#watch.isDown(member.instance)) down.push(member)
      else if (member.isVerified && member.takesEarly) up.push(member)
    }
    const orphans = down.flatMap(({ memberId }) => ownedBy.get(memberId) ?? [])
    const survivors = up.map(({ memberId, topics }) => ({
      ...{ memberId, topics },
      owned: ownedBy.get(memberId) ?? [],
    }))
    const successors = successorsOf(survivors, orphans.map(partitionOfKey))
    return new Map(
      [...successors].map(([key, memberId]) => {
        const url = members.get(memberId)?.url
        const of = routes.get(key)?.memberId ?? ''
        return [key, { of, route: { memberId, ...(url !== undefined && { url }) } }]
      }),
    )
  }

  #take(key: string, of: string, url = ''): void {
    const place = partitionOfKey(key)
    this.#early.set(key, { place, of })
    this.#parts.logger.warn({ url }, `${key}: taking over ahead of the group, because its owner has ended`)
    this.#step(key, 'taken')
    void this.#parts.open(place, () => this.#early.has(key))
  }

  #handBack(key: string): void {
    this.#early.delete(key)
    this.#step(key, 'handed-back')
    void this.#parts.close(key)
  }

  #step(key: string, step: EarlyStep): void {
    const { logger, onStep } = this.#parts
    if (step !== 'taken') logger.info({ step }, `${key}: ${endings[step]}`)
    reportSafely(() => onStep?.(step))
  }
}

const endings = {
  kept: 'the group has assigned what was taken over ahead of it',
  'handed-back': 'handing back what was taken over ahead of the group',
  lost: 'another owner has ended the early ownership: leaving the partition to the group',
} as const
