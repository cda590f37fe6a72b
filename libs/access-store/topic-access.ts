import type { AccessDocument } from '#access'
import { Backoff, pause, unlessAborted } from '#async'
import { LogReader, type TopicDescription } from '#kafka'

import { AccessEntries } from './access-entries.ts'
import type { AccessProblem, AccessSource, AccessState } from './access-source.ts'
import {
  type AccessTopicSettings,
  describeAccessTopic,
  ensureAccessTopic,
  isLogError,
  partition,
} from './access-topic.ts'
import { HeldAccess } from './held-access.ts'
import { messageOf } from './parse-json.ts'

/** An outage is reported after this time at the latest. */
const requestTimeoutMs = 4_000
const waitMsMax = 1_000
const retryLimits = { delayMsMin: 250, delayMsMax: 2_000 }
/** A reader that was away for longer may have missed tombstones, which Kafka removes after a time. */
const awayMsMax = 3_600_000

let lanes = 0

/** The topic was deleted and created again, or has lost records. What it lacks may be a revocation, so it is not read. */
class ReplacedError extends Error {
  override readonly name = 'ReplacedError'
}

/**
 * Follows the compacted topic of access. While Kafka is away the last state stays in force, however long that takes. So it does, until a
 * restart, if the topic was deleted and created again.
 */
export class TopicAccess implements AccessSource {
  readonly #settings: AccessTopicSettings
  readonly #reader: LogReader
  readonly #held: HeldAccess
  readonly #now: () => number
  readonly #lane = `access-${lanes++}`
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #started: Promise<void> | undefined
  #topic: TopicDescription | undefined
  #entries = new AccessEntries()
  /** Undefined: the start of the topic. */
  #offset: number | undefined
  /** Whether the entries hold all of the topic, so that they can be in force. */
  #isWhole = false

  /** @param now milliseconds since the epoch; default the clock */
  constructor(settings: AccessTopicSettings, now: () => number = Date.now) {
    this.#settings = settings
    this.#now = now
    this.#held = new HeldAccess(`topic ${settings.topic}`, now)
    this.#reader = new LogReader(settings.cluster, { timeoutMs: requestTimeoutMs })
  }

  get current(): AccessDocument | undefined {
    return this.#held.current
  }

  get state(): AccessState {
    return this.#held.state
  }

  onChange(listener: (current: AccessDocument) => void): () => void {
    return this.#held.onChange(listener)
  }

  start(): Promise<void> {
    this.#started ??= new Promise((resolve) => {
      this.#running = this.#run(resolve)
    })
    return this.#started
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    await this.#settings.cluster.closeLane(this.#lane)
  }

  async #run(attempted: () => void): Promise<void> {
    const { signal } = this.#stopping
    const backoff = new Backoff(retryLimits)
    const onRead = () => {
      backoff.reset()
      attempted()
    }
    while (!signal.aborted) {
      try {
        await this.#follow(signal, onRead)
      } catch (error) {
        // Before anything was in force, another topic lacks nothing.
        const isReplaced = error instanceof ReplacedError && this.current !== undefined
        if (error instanceof ReplacedError && !isReplaced) this.#begin(new AccessEntries())
        if (isReplaced) this.#held.replaced(error.message)
        else this.#held.fail(messageOf(error))
        attempted()
        if (isReplaced) return
        await pause(backoff.nextMs(), signal)
      }
    }
    attempted()
  }

  async #follow(signal: AbortSignal, onRead: () => void): Promise<void> {
    if ((await unlessAborted(signal, this.#open())) === undefined) return
    this.#forgetIfAway()
    const { topic } = this.#settings
    let offset = this.#offset ?? (await this.#reader.startOffset(topic, partition))
    while (!signal.aborted) {
      const options = { lane: this.#lane, waitMsMax: this.#isWhole ? waitMsMax : 0 }
      const fetch = this.#reader.fetch(topic, partition, offset, options).catch(explained(topic))
      const fetched = await unlessAborted(signal, fetch)
      if (fetched === undefined) return
      await this.#checkTopic()
      this.#entries.apply(fetched.records)
      offset = fetched.nextOffset
      this.#offset = offset
      this.#isWhole ||= offset >= fetched.highWatermark
      if (!this.#isWhole) continue
      this.#take(fetched.records.length > 0)
      onRead()
    }
  }

  #take(isChanged: boolean): void {
    if (isChanged || this.#held.current === undefined) {
      this.#entries.settle()
      const { document, problems } = this.#entries
      this.#held.take(document, [...problems, ...this.#topicProblems()])
    } else {
      this.#held.confirm()
    }
  }

  /** Creates the topic if this process has not yet seen it. @throws LogError, ReplacedError */
  async #open(): Promise<TopicDescription> {
    const { topic } = this.#settings
    if (this.#topic === undefined) {
      this.#topic = await ensureAccessTopic(this.#settings, requestTimeoutMs)
      return this.#topic
    }
    const found = await describeAccessTopic(this.#settings, requestTimeoutMs)
    if (found === undefined) throw new Error(`topic ${topic} was deleted. ${inForce}: restore it, or restart`)
    this.#checkId(found.topicId)
    return found
  }

  /** The fetch before used this topic id or an earlier one. */
  async #checkTopic(): Promise<void> {
    this.#checkId((await this.#settings.cluster.topic(this.#settings.topic)).topicId)
  }

  #checkId(topicId: string): void {
    if (topicId === this.#topic?.topicId) return
    throw new ReplacedError(
      `topic ${this.#settings.topic} was deleted and created again. ${inForce} until a restart, because the new topic may lack revocations: ` +
        'check it with ./annals access key list, then restart',
    )
  }

  #forgetIfAway(): void {
    const { readAtMs } = this.#held
    if (readAtMs === undefined || this.#now() - readAtMs < awayMsMax) return
    this.#begin(new AccessEntries(this.#entries))
  }

  /** Reads from the start. */
  #begin(entries: AccessEntries): void {
    this.#entries = entries
    this.#offset = undefined
    this.#isWhole = false
    if (this.current === undefined) this.#topic = undefined
  }

  #topicProblems(): readonly AccessProblem[] {
    const { name = '', configs = {} } = this.#topic ?? {}
    const policy = configs['cleanup.policy']
    if (policy === 'compact') return []
    const message = `cleanup.policy is ${policy ?? 'unknown'}, but must be compact: Kafka would delete keys, roles and revocations`
    return [{ entry: name, message }]
  }
}

const inForce = 'The last state stays in force'

/** Records before or behind the offset are gone, so what is left may lack a revocation. */
const explained =
  (topic: string) =>
  (error: unknown): never => {
    if (!isLogError(error, 'not-there', 'log-replaced')) throw error
    throw new ReplacedError(
      `topic ${topic} has lost records that were read from it. ${inForce} until a restart: check it with ./annals access key list, then restart`,
      { cause: error },
    )
  }
