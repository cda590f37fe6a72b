import { aggregateTypeOf, type StreamId } from '#domain'
import { partitionFor } from '#event-store'

import type { PartitionOwner } from './writer-endpoint.ts'

export interface OwnerTableOptions {
  /** Whether requests go straight to owners. Without it they go to the given URLs in turn. */
  readonly direct: boolean
  /** Asks one writer for the table. */
  readonly fetchOwners: (url: string) => Promise<readonly PartitionOwner[]>
}

/** A table older than this is asked for anew, beside the requests. */
const freshMs = 10_000
/** Between two questions for the table. */
const askAgainMs = 100
/** A writer that could not be reached gets no requests for this long, where there are others. */
const avoidedMs = 1_000

/**
 * Who owns what, as far as this client knows. Never waits: what it does not know yet goes to any writer, which
 * passes it on. Nothing depends on the table being right but speed.
 */
export class OwnerTable {
  readonly #given: readonly string[]
  readonly #options: OwnerTableOptions
  readonly #avoidedUntilMs = new Map<string, number>()
  #urlsByTopic: ReadonlyMap<string, readonly (string | undefined)[]> = new Map()
  #urls: readonly string[]
  #askedAtMs = -Infinity
  #turn = 0

  constructor(urls: readonly string[], options: OwnerTableOptions) {
    this.#given = urls
    this.#urls = urls
    this.#options = options
  }

  /** Where to send what concerns a stream. */
  urlFor(streamId: StreamId): string {
    if (!this.#options.direct) return this.anyUrl()
    if (performance.now() - this.#askedAtMs > freshMs) this.refresh()
    const urls = this.#urlsByTopic.get(`eventstore.${aggregateTypeOf(streamId)}`)
    const owner = urls?.[partitionFor(streamId, urls.length)]
    return owner === undefined || this.#isAvoided(owner) ? this.anyUrl() : owner
  }

  /** The writers in turn, without those that were not reached just now, unless there are no others. */
  anyUrl(): string {
    const reachable = this.#urls.filter((url) => !this.#isAvoided(url))
    const candidates = reachable.length > 0 ? reachable : this.#urls
    this.#turn = (this.#turn + 1) % candidates.length
    return candidates[this.#turn] ?? ''
  }

  /** A writer could not be reached. */
  avoid(url: string): void {
    this.#avoidedUntilMs.set(url, performance.now() + avoidedMs)
    this.refresh()
  }

  /** The table was wrong, or may be: asks for it, unless that was done just now. */
  refresh(): void {
    if (!this.#options.direct || performance.now() - this.#askedAtMs < askAgainMs) return
    this.#askedAtMs = performance.now()
    const url = this.anyUrl()
    this.#options.fetchOwners(url).then(
      (owners) => this.#learn(owners),
      // The requests themselves go on to any writer; the next of them that fails asks again.
      () => this.#avoidedUntilMs.set(url, performance.now() + avoidedMs),
    )
  }

  #isAvoided(url: string): boolean {
    const untilMs = this.#avoidedUntilMs.get(url)
    if (untilMs === undefined) return false
    if (untilMs > performance.now()) return true
    this.#avoidedUntilMs.delete(url)
    return false
  }

  #learn(owners: readonly PartitionOwner[]): void {
    const table = new Map<string, (string | undefined)[]>()
    for (const { topic, partition, url } of owners) {
      const urls = table.get(topic) ?? []
      urls[partition] = url
      table.set(topic, urls)
    }
    this.#urlsByTopic = table
    this.#urls = [...new Set([...this.#given, ...owners.map(({ url }) => url)])]
  }
}
