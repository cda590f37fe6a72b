import type { Logger } from 'pino'

import { partitionKey, type TopicPartition } from '#domain'
import type { WaitingPartition } from '#event-log'
import { GroupMembership, type GroupMembershipOptions, type NotedOffset, type RoutingTable } from '#kafka'

import type { OwnedPartition } from './owned-partition.ts'
import { Succession, type SuccessionSettings } from './succession.ts'

/** Membership in the consumer group that assigns partitions. */
export type Membership = Pick<
  GroupMembership,
  'instance' | 'start' | 'stop' | 'joinedAtMs' | 'partitions' | 'ownersTable' | 'view' | 'noteOffsets'
>

export interface PartitionGroupOptions<Owned> extends Omit<
  GroupMembershipOptions,
  'onAssigned' | 'onRevoked' | 'onProblem' | 'early'
> {
  /** The role of the members, for messages: `writer`. */
  readonly member: string
  /**
   * Creates the owner of a partition. The group starts it.
   * @param onTermLost to be called when a term of the owner has failed for good. Needed with `succession` only
   */
  readonly open: (place: TopicPartition, onTermLost: () => void) => Owned
  /** Takes over the partitions of dead members ahead of the group. Default: waits for the group. */
  readonly succession?: SuccessionSettings | undefined
  /** Default: a member of Kafka's group. */
  readonly newMembership?: (options: GroupMembershipOptions) => Membership
  readonly logger: Logger
}

const joinedByKafka = (options: GroupMembershipOptions): Membership => new GroupMembership(options)

/** The details of a readiness check. */
export interface ServingReport {
  readonly owned: number
  readonly waitForOperator?: readonly WaitingPartition[]
}

/**
 * The partitions that this process owns, as the group assigns and revokes them. Each partition has one owner at a
 * time: a partition that is assigned again waits until its previous owner has ended.
 */
export class PartitionGroup<Owned extends OwnedPartition> {
  readonly #options: PartitionGroupOptions<Owned>
  readonly #membership: Membership
  readonly #owned = new Map<string, { readonly place: TopicPartition; readonly owner: Owned }>()
  readonly #ending = new Map<string, Promise<void>>()
  readonly #succession: Succession | undefined
  #hasJoined = false
  #isStopping = false

  constructor(options: PartitionGroupOptions<Owned>) {
    const { member, logger, newMembership = joinedByKafka, succession } = options
    this.#options = options
    this.#membership = newMembership({
      ...options,
      ...(succession && { early: () => this.#succession?.early ?? [] }),
      onAssigned: (places) => this.#assigned(places),
      onRevoked: (places) => this.#revoked(places),
      onProblem: (error) =>
        logger.warn({ err: error }, `the group of ${member}s cannot be reached: retrying`),
    })
    this.#succession = succession && this.#newSuccession(succession)
  }

  /** Identifies this process in the group. */
  get instance(): string {
    return this.#membership.instance
  }

  get owners(): readonly Owned[] {
    return [...this.#owned.values()].map(({ owner }) => owner)
  }

  /** The owner of a partition, if it is in this process. */
  ownerOf(place: TopicPartition): Owned | undefined {
    return this.#owned.get(partitionKey(place))?.owner
  }

  /** Named states of the owned partitions. */
  get waiting(): readonly WaitingPartition[] {
    return this.owners.flatMap(({ waiting }) => waiting ?? [])
  }

  /** Number of other members whose ports refuse connections. */
  get downCount(): number {
    return this.#succession?.downCount ?? 0
  }

  /** A request was refused at the address of another member. */
  suspect(url: string): void {
    this.#succession?.suspect(url)
  }

  /** A table of {@link ownersTable}, with the successors of owners that have died since. Cheap. */
  withSuccessors(table: RoutingTable): RoutingTable {
    return this.#succession?.overlay(table) ?? table
  }

  /** The owner of each partition that the group knows, with its address. @throws LogError `unavailable` */
  ownersTable(): Promise<RoutingTable> {
    return this.#membership.ownersTable()
  }

  /** Commits offsets of assigned partitions in the group. Only Kafka's tools read them. */
  async noteOffsets(offsetOf: (place: TopicPartition) => number | undefined): Promise<void> {
    const offsets = this.#membership.partitions.flatMap((place): NotedOffset[] => {
      const offset = offsetOf(place)
      return offset === undefined ? [] : [{ ...place, offset }]
    })
    if (offsets.length > 0) await this.#membership.noteOffsets(offsets)
  }

  /** Joins the group, unless there are no topics. Partitions start as the group assigns them. @throws LogError */
  async start(): Promise<void> {
    if (this.#options.topics.length > 0) {
      await this.#membership.start()
      this.#succession?.start()
    }
    this.#hasJoined = true
  }

  /** Ends all owners, and leaves the group at the same time, so the next owners need not wait for the session time-out. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const watched = this.#succession?.stop()
    const ended = this.#revoked([...this.#owned.values()].map(({ place }) => place))
    await this.#membership.stop()
    await Promise.all([ended, watched])
    await Promise.all(this.#ending.values())
  }

  /**
   * A partition that waits for an operator does not make the service unready, because the other partitions are served.
   * @throws Error before the group was joined, and while a partition is not served for any other reason.
   */
  checkServing(): ServingReport {
    const { member } = this.#options
    if (!this.#hasJoined) throw new Error(`the group of ${member}s has not been joined yet`)
    const { owners, waiting } = this
    const idle = owners.filter((owner) => !owner.isServing && owner.waiting === undefined).length
    if (idle > 0) throw new Error(`${idle} of ${owners.length} owned partitions are not served yet`)
    return { owned: owners.length, ...(waiting.length > 0 && { waitForOperator: waiting }) }
  }

  #newSuccession(settings: SuccessionSettings): Succession {
    const { advertisedUrl, logger } = this.#options
    return new Succession({
      ...settings,
      ...{ membership: this.#membership, advertisedUrl, logger },
      isOwned: (key) => this.#owned.has(key),
      open: (place, isWanted) => this.#open(place, isWanted),
      close: (key) => this.#close(key),
    })
  }

  async #assigned(places: readonly TopicPartition[]): Promise<void> {
    this.#succession?.assigned(places)
    await Promise.all(places.map((place) => this.#open(place)))
  }

  /** @param isWanted asked when the previous owner has ended. */
  async #open(place: TopicPartition, isWanted = () => true): Promise<void> {
    const key = partitionKey(place)
    await this.#ending.get(key)
    if (this.#isStopping || this.#owned.has(key) || !isWanted()) return
    const owner = this.#options.open(place, () => this.#succession?.lost(place))
    this.#owned.set(key, { place, owner })
    owner.start()
  }

  async #revoked(places: readonly TopicPartition[]): Promise<void> {
    await Promise.all(places.map((place) => this.#close(partitionKey(place))))
  }

  async #close(key: string): Promise<void> {
    const owned = this.#owned.get(key)
    if (owned === undefined) return this.#ending.get(key)
    this.#owned.delete(key)
    const ended = owned.owner.stop().finally(() => this.#ending.delete(key))
    this.#ending.set(key, ended)
    return ended
  }
}
