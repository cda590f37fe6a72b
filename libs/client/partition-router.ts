import { aggregateTypeOf, eventTopic, partitionFor, type StreamId } from '#domain'

import { isAboutCaller } from './backoff.ts'
import { ReachableUrls } from './reachable-urls.ts'
import type { PartitionOwner } from './writer-endpoint.ts'

interface PartitionRouterOptions {
  /** Whether to send requests directly to owners. Otherwise they go to the configured URLs in turn. */
  readonly direct: boolean
  /** Whether requests may go to a URL that a writer has named. */
  readonly mayUse: (url: URL) => boolean
  /** Requests the owners from one writer. */
  readonly fetchOwners: (url: string) => Promise<readonly PartitionOwner[]>
}

/** A table older than this is requested again in the background. */
const freshMs = 10_000
/** Minimum time between two requests for the table. */
const askAgainMs = 100

/**
 * The owners of partitions that this client has learned. It never waits: requests for unknown partitions go to any writer, which
 * forwards them. A wrong table costs time, but not correctness.
 */
export class PartitionRouter {
  readonly #given: readonly string[]
  readonly #options: PartitionRouterOptions
  /** Then no request goes to a URL that begins with http, whatever a writer says. */
  readonly #isEncrypted: boolean
  readonly #reachable: ReachableUrls
  #urlsByTopic: ReadonlyMap<string, readonly (string | undefined)[]> = new Map()
  #askedAtMs = -Infinity

  constructor(urls: readonly string[], options: PartitionRouterOptions) {
    this.#given = urls
    this.#isEncrypted = urls.every((url) => URL.parse(url)?.protocol === 'https:')
    this.#reachable = new ReachableUrls(urls)
    this.#options = options
  }

  /** The URL for requests about a stream. */
  urlFor(streamId: StreamId): string {
    if (!this.#options.direct) return this.anyUrl()
    if (performance.now() - this.#askedAtMs > freshMs) this.refresh()
    const urls = this.#urlsByTopic.get(eventTopic(aggregateTypeOf(streamId)))
    const owner = urls?.[partitionFor(streamId, urls.length)]
    return owner === undefined || this.#reachable.isAvoided(owner) ? this.anyUrl() : owner
  }

  /** The next writer in turn. Writers that were unreachable in the last second are skipped while there are others. */
  anyUrl(): string {
    return this.#reachable.next()
  }

  /** Marks a writer as unreachable. */
  avoid(url: string): void {
    this.#reachable.avoid(url)
    this.refresh()
  }

  /** Requests the table again, at most once per {@link askAgainMs}. */
  refresh(): void {
    if (!this.#options.direct || performance.now() - this.#askedAtMs < askAgainMs) return
    this.#askedAtMs = performance.now()
    const url = this.anyUrl()
    this.#options
      .fetchOwners(url)
      .then((owners) => this.#learn(owners))
      // Also when the answer is not a table. Requests continue to go to any writer, and the next failure asks again.
      .catch((error: unknown) => {
        if (!isAboutCaller(error)) this.#reachable.avoid(url)
      })
  }

  #learn(owners: readonly PartitionOwner[]): void {
    const table = new Map<string, (string | undefined)[]>()
    for (const { topic, partition, url } of owners.filter(isSound)) {
      const urls = table.get(topic) ?? []
      // Other writers forward requests for an owner that this client must not use.
      urls[partition] = url !== undefined && this.#mayUse(url) ? url : undefined
      table.set(topic, urls)
    }
    this.#urlsByTopic = table
    const learned = [...table.values()].flat().filter((url) => url !== undefined)
    this.#reachable.replace([...new Set([...this.#given, ...learned])])
  }

  #mayUse(text: string): boolean {
    const url = URL.parse(text)
    if (url === null || !/^https?:$/.test(url.protocol)) return false
    return (url.protocol === 'https:' || !this.#isEncrypted) && this.#options.mayUse(url)
  }
}

/** The maximum partition count that Annals can be configured with. */
const partitionsMax = 10_000

/** Rows that no writer would send are ignored, so they cannot fail requests. */
const isSound = ({ topic, partition }: PartitionOwner): boolean =>
  typeof topic === 'string' && Number.isSafeInteger(partition) && partition >= 0 && partition < partitionsMax
