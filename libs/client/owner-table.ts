import { aggregateTypeOf, eventTopic, partitionFor, type StreamId } from '#domain'

import { ReachableUrls } from './reachable-urls.ts'
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

/**
 * Who owns what, as far as this client knows. Never waits: what it does not know yet goes to any writer, which
 * passes it on. Nothing depends on the table being right but speed.
 */
export class OwnerTable {
  readonly #given: readonly string[]
  readonly #options: OwnerTableOptions
  readonly #reachable: ReachableUrls
  #urlsByTopic: ReadonlyMap<string, readonly (string | undefined)[]> = new Map()
  #askedAtMs = -Infinity

  constructor(urls: readonly string[], options: OwnerTableOptions) {
    this.#given = urls
    this.#reachable = new ReachableUrls(urls)
    this.#options = options
  }

  /** Where to send what concerns a stream. */
  urlFor(streamId: StreamId): string {
    if (!this.#options.direct) return this.anyUrl()
    if (performance.now() - this.#askedAtMs > freshMs) this.refresh()
    const urls = this.#urlsByTopic.get(eventTopic(aggregateTypeOf(streamId)))
    const owner = urls?.[partitionFor(streamId, urls.length)]
    return owner === undefined || this.#reachable.isAvoided(owner) ? this.anyUrl() : owner
  }

  /** The writers in turn, without those that were not reached just now, unless there are no others. */
  anyUrl(): string {
    return this.#reachable.next()
  }

  /** A writer could not be reached. */
  avoid(url: string): void {
    this.#reachable.avoid(url)
    this.refresh()
  }

  /** The table was wrong, or may be: asks for it, unless that was done just now. */
  refresh(): void {
    if (!this.#options.direct || performance.now() - this.#askedAtMs < askAgainMs) return
    this.#askedAtMs = performance.now()
    const url = this.anyUrl()
    this.#options
      .fetchOwners(url)
      .then((owners) => this.#learn(owners))
      // Also where the answer is no table. The requests themselves go on to any writer; the next of them that fails asks again.
      .catch(() => this.#reachable.avoid(url))
  }

  #learn(owners: readonly PartitionOwner[]): void {
    const table = new Map<string, (string | undefined)[]>()
    for (const { topic, partition, url } of owners.filter(isSound)) {
      const urls = table.get(topic) ?? []
      urls[partition] = url
      table.set(topic, urls)
    }
    this.#urlsByTopic = table
    const learned = [...table.values()].flat().filter((url) => url !== undefined)
    this.#reachable.replace([...new Set([...this.#given, ...learned])])
  }
}

/** As many as a topic can be configured to have. */
const partitionsMax = 10_000

/** What cannot be of a writer must not fail the requests. */
const isSound = ({ topic, partition, url }: PartitionOwner): boolean =>
  typeof topic === 'string' &&
  Number.isSafeInteger(partition) &&
  partition >= 0 &&
  partition < partitionsMax &&
  (url === undefined || isHttp(url))

const isHttp = (text: string): boolean => /^https?:$/.test(URL.parse(text)?.protocol ?? '')
