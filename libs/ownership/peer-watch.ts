import type { Logger } from 'pino'

import { inParallel, pause } from '#async'
import type { Peer, VerifyPeer } from '#kafka'
import { reportSafely } from '#observability'

import type { PortState } from './probe-port.ts'

/** A process that is watched. */
export type WatchedPeer = Pick<Peer, 'memberId' | 'url' | 'instance'>

export interface PeerWatchOptions {
  /** This process. */
  readonly self: Pick<WatchedPeer, 'url' | 'instance'>
  readonly probe: (url: string) => Promise<PortState>
  /** Asks the process at a peer's URL who it is. */
  readonly identify: VerifyPeer
  /** Called when a peer goes down or comes back. */
  readonly onChange: () => void
  readonly logger: Logger
}

/** `down`: its port refuses connections. `gone`: another process answers at its address, so it never comes back. */
type Fault = 'down' | 'gone'

/** A refusal counts if the port still refuses after this time. */
const confirmMs = 120
const atOnceMax = 16

/**
 * Finds the members of the group whose ports refuse connections. Only a refusal counts, because it needs a living machine
 * without the process: a frozen process, a lost machine and a cut network look different and are left to the group.
 */
export class PeerWatch {
  readonly #options: PeerWatchOptions
  readonly #faults = new Map<string, Fault>()
  readonly #checking = new Map<string, Promise<void>>()
  readonly #stopping = new AbortController()
  #watched: ReadonlyMap<string, WatchedPeer> = new Map()
  #isBlind = false

  constructor(options: PeerWatchOptions) {
    this.#options = options
  }

  /** Number of members that are down. */
  get downCount(): number {
    return this.#faults.size
  }

  /** @param instance random id of the member's process */
  isDown(instance: string): boolean {
    return this.#faults.has(instance)
  }

  /** Sets the members to watch: verified ones. Those that are down stay watched while they are in the group. */
  watch(members: readonly Peer[]): void {
    const others = members.filter(({ instance }) => instance !== this.#options.self.instance)
    const watched = others.filter(({ instance, isVerified }) => isVerified || this.isDown(instance))
    this.#watched = new Map(watched.map((peer) => [peer.instance, peer]))
    for (const instance of this.#faults.keys()) {
      if (!this.#watched.has(instance)) this.#faults.delete(instance)
    }
  }

  /** Probes every watched member. Never rejects. */
  async round(): Promise<void> {
    const due = [...this.#watched.values()].filter(({ instance }) => this.#faults.get(instance) !== 'gone')
    await inParallel(due, atOnceMax, (peer) => this.#check(peer))
  }

  /** Probes the member at a URL now, because a request has been refused there. */
  suspect(url: string): void {
    for (const peer of this.#watched.values()) {
      if (peer.url === url && !this.isDown(peer.instance)) void this.#check(peer)
    }
  }

  stop(): void {
    this.#stopping.abort()
  }

  /** One check of a member at a time. */
  #check(peer: WatchedPeer): Promise<void> {
    const checking = this.#checking.get(peer.instance)
    if (checking !== undefined) return checking
    const started = this.#checkNow(peer).finally(() => this.#checking.delete(peer.instance))
    this.#checking.set(peer.instance, started)
    return started
  }

  async #checkNow(peer: WatchedPeer): Promise<void> {
    const { probe, identify } = this.#options
    const isRefused = (await probe(peer.url)) === 'refused'
    if (!isRefused && !this.isDown(peer.instance)) return
    if (isRefused && this.isDown(peer.instance)) return
    if (isRefused) await pause(confirmMs, this.#stopping.signal)
    if (isRefused && (await probe(peer.url)) === 'refused') {
      if (!(await this.#isBlindNow())) this.#set(peer, 'down')
      return
    }
    // It refused, and accepts now: the same process, or its successor at the same address.
    const verdict = await identify(peer)
    if (verdict === 'refuted') this.#set(peer, 'gone')
    if (verdict === 'verified') this.#set(peer, undefined)
  }

  /** A process whose own address refuses cannot judge others: a proxy in front of all of them may be down. */
  async #isBlindNow(): Promise<boolean> {
    const { probe, self, logger } = this.#options
    const wasBlind = this.#isBlind
    this.#isBlind = (await probe(self.url)) === 'refused'
    if (this.#isBlind && !wasBlind) {
      logger.warn(`this process is refused at its own address ${self.url}: it takes nothing over early`)
    }
    return this.#isBlind
  }

  #set(peer: WatchedPeer, fault: Fault | undefined): void {
    const { instance, url } = peer
    if (this.#stopping.signal.aborted || !this.#watched.has(instance)) return
    if (this.#faults.get(instance) === fault) return
    if (fault === undefined) this.#faults.delete(instance)
    else this.#faults.set(instance, fault)
    const { logger, onChange } = this.#options
    if (fault === undefined) logger.warn({ url }, `the peer at ${url} accepts connections again`)
    else logger.warn({ url, fault }, `the peer at ${url} has ended: its port refused connections`)
    reportSafely(onChange)
  }
}
