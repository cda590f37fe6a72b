import { randomUUID } from 'node:crypto'

import { partitionKey, type TopicPartition } from '#domain'
import type { GroupMembershipOptions, GroupView, RoutingTable } from '#kafka'

import type { Membership } from '../partition-group.ts'

/** A group member whose assignments the test controls. Like Kafka's, it makes one call at a time. */
export class MembershipDouble implements Membership {
  readonly instance = randomUUID()
  readonly #options: GroupMembershipOptions
  readonly #assigned = new Map<string, TopicPartition>()
  #calls: Promise<unknown> = Promise.resolve()
  readonly joinedAtMs = performance.now()
  /** What the group's coordinator would report. */
  current: GroupView = { routes: new Map(), members: [] }

  constructor(options: GroupMembershipOptions) {
    this.#options = options
  }

  get partitions(): readonly TopicPartition[] {
    return [...this.#assigned.values()]
  }

  grant(...places: readonly TopicPartition[]): Promise<void> {
    for (const place of places) this.#assigned.set(partitionKey(place), place)
    return this.#next(() => this.#options.onAssigned(places))
  }

  revoke(...places: readonly TopicPartition[]): Promise<void> {
    for (const place of places) this.#assigned.delete(partitionKey(place))
    return this.#next(() => this.#options.onRevoked(places))
  }

  start(): Promise<void> {
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    await this.#calls
  }

  /** What it asks to keep at the next rebalance, although the group has not assigned it. */
  get early(): readonly TopicPartition[] {
    return this.#options.early?.() ?? []
  }

  ownersTable(): Promise<RoutingTable> {
    return Promise.resolve(this.current.routes)
  }

  view(): Promise<GroupView> {
    return Promise.resolve(this.current)
  }

  noteOffsets(): Promise<void> {
    return Promise.resolve()
  }

  #next(call: () => Promise<void> | void): Promise<void> {
    const done = this.#calls.then(call)
    this.#calls = done
    return done
  }
}
