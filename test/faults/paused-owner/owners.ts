import { join } from 'node:path'

import { until } from '../../../scripts/stack/index.ts'
import { freshDomain, type FreshDomain } from '../../support/services/fresh-domain.ts'
import { Hold, holdModule } from '../harness/cluster/hold.ts'
import { ServicePost } from '../harness/cluster/service-post.ts'
import type { Stand } from './stand.ts'

const serveMsMax = 60_000
const heldMsMax = 30_000

/** A writer that can be paused right before it sends a produce request. */
export class Owner {
  readonly post: ServicePost
  readonly hold: Hold

  constructor(post: ServicePost, hold: Hold) {
    this.post = post
    this.hold = hold
  }

  get url(): string {
    return this.post.url
  }

  untilHeld(): Promise<unknown> {
    return until(`${this.post.name} is paused at its produce request`, heldMsMax, () =>
      Promise.resolve(this.hold.isHeld),
    )
  }

  async leave(): Promise<void> {
    this.hold.release()
    await this.post.leave()
  }
}

/** The writers of one run: a separate installation with one aggregate type in one partition. */
export class Owners {
  readonly domain: FreshDomain = freshDomain(1)
  readonly #stand: Stand
  readonly #folder: string
  readonly #all: Owner[] = []

  constructor(stand: Stand, folder: string) {
    this.#stand = stand
    this.#folder = folder
  }

  get type(): string {
    return this.domain.types[0] ?? ''
  }

  /** Starts one more writer and waits until it serves: until it owns the only partition, or knows its owner. */
  async start(): Promise<Owner> {
    const name = `owner-${this.#all.length + 1}`
    const hold = new Hold(join(this.#folder, `${name}.hold`))
    const env = { ...this.#env, TEST_HOLD_FILE: hold.file, ANNALS_KAFKA_CLIENT_ID: name }
    const nodeArgs = ['--import', holdModule]
    const post = await ServicePost.at((port) =>
      Promise.resolve({
        ...{ name, nodeArgs, kind: 'writer' as const, logFolder: this.#folder },
        env: { ...env, ANNALS_ADVERTISED_URL: `http://127.0.0.1:${port}` },
      }),
    )
    const owner = new Owner(post, hold)
    this.#all.push(owner)
    await post.start()
    await until(`${name} serves`, serveMsMax, () => post.isReady())
    return owner
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((owner) => owner.leave()))
    this.domain.remove()
  }

  get #env(): Readonly<Record<string, string>> {
    const { brokers, redis, registryUrl } = this.#stand
    return {
      ANNALS_KAFKA_BROKERS: brokers.join(','),
      ANNALS_KAFKA_PARTITIONS: '1',
      ANNALS_REDIS_URL: redis.url,
      ANNALS_REDIS_KEY_PREFIX: this.type,
      ANNALS_REGISTRY_URL: registryUrl,
      ANNALS_WRITER_GROUP: this.type,
      ANNALS_WRITER_SESSION_TIMEOUT: '6s',
      ANNALS_WRITER_APPEND_TIMEOUT: '60s',
      ANNALS_DOMAIN: this.domain.modulePath,
      ANNALS_SCHEMAS: this.domain.schemaFolder,
    }
  }
}
