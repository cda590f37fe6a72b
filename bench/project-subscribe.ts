import { AnnalsClient } from '#client'
import { EventStoreError } from '#event-store'

import type { ServiceProcess } from './contenders/service-process.ts'
import { measureProgress, untilAtLeast } from './project-progress.ts'
import type { PurchaseAppend } from './project-purchases.ts'

interface LiveResult {
  /** Events. */
  readonly appendedPerSecond: number
  readonly receivedPerSecond: number
}

export interface SubscribeResult {
  /** Past events, from the beginning. */
  readonly pastEventsPerSecond: number
  readonly pastUpdatesPerSecond: number
  /** While events are appended as fast as possible. */
  readonly liveEvents: LiveResult
  /** When a view changes faster than it is published, intermediate changes are skipped. */
  readonly liveUpdates: LiveResult
}

const liveMs = 10_000
const warmUpMs = 2_000
const appendersMax = 4
const appendsPerRequest = 500
/** So that events arrive faster than single ones could be appended in addition. */
const eventsPerAppend = 5

/** What a subscriber in this process gets from a platform in another, through the SDK. */
export async function measureSubscribers(
  { url }: ServiceProcess,
  purchases: readonly PurchaseAppend[],
): Promise<SubscribeResult> {
  const client = new AnnalsClient({ url })
  try {
    await untilProjected(client)
    const lifetime = client.projection('customer-lifetime')
    const views = new Set(purchases.map(({ streamId }) => streamId)).size
    return {
      pastEventsPerSecond: await past(purchases.length, (signal) =>
        client.subscribe('customer', {}, { signal }),
      ),
      pastUpdatesPerSecond: await past(views, (signal) => lifetime.subscribe({ signal })),
      liveEvents: await live(new Appender(client, purchases, eventsPerAppend), (signal) =>
        client.subscribe('customer', { from: new Date().toISOString() }, { signal }),
      ),
      liveUpdates: await live(new Appender(client, purchases, 1), (signal) =>
        lifetime.subscribe({ fromNow: true, signal }),
      ),
    }
  } finally {
    await client.close()
  }
}

async function untilProjected(client: AnnalsClient): Promise<void> {
  await untilAtLeast(0, async () => {
    const { serving, generations } = await client.projection('customer-lifetime').describe()
    const generation = generations.find(({ id }) => id === serving)
    return generation === undefined
      ? -Infinity
      : -generation.partitions.reduce((sum, { lag }) => sum + lag, 0)
  })
}

/** Counts the messages of a subscription until it is stopped. */
class Subscriber {
  received = 0
  readonly #left = new AbortController()
  readonly #running: Promise<void>

  constructor(open: (signal: AbortSignal) => AsyncIterable<unknown>) {
    this.#running = this.#run(open(this.#left.signal))
  }

  async leave(): Promise<void> {
    this.#left.abort()
    await this.#running
  }

  async #run(stream: AsyncIterable<unknown>): Promise<void> {
    const items = stream[Symbol.asyncIterator]()
    while ((await items.next()).done !== true) this.received++
  }
}

async function past(total: number, open: (signal: AbortSignal) => AsyncIterable<unknown>): Promise<number> {
  const subscriber = new Subscriber(open)
  const { perSecond } = await measureProgress(total, () => subscriber.received)
  await subscriber.leave()
  return perSecond
}

async function live(
  appender: Appender,
  open: (signal: AbortSignal) => AsyncIterable<unknown>,
): Promise<LiveResult> {
  const subscriber = new Subscriber(open)
  appender.start()
  await untilAtLeast(1, () => subscriber.received)
  await new Promise((resolve) => setTimeout(resolve, warmUpMs))
  const [appended, received, startMs] = [appender.appended, subscriber.received, performance.now()]
  await new Promise((resolve) => setTimeout(resolve, liveMs))
  const seconds = (performance.now() - startMs) / 1_000
  const result = {
    appendedPerSecond: Math.round((appender.appended - appended) / seconds),
    receivedPerSecond: Math.round((subscriber.received - received) / seconds),
  }
  await appender.stop()
  await subscriber.leave()
  return result
}

/** Appends purchases in a loop, as fast as they are acknowledged. */
class Appender {
  appended = 0
  readonly #client: AnnalsClient
  readonly #purchases: readonly PurchaseAppend[]
  readonly #eventsEach: number
  #isStopping = false
  #running: Promise<unknown> | undefined

  constructor(client: AnnalsClient, purchases: readonly PurchaseAppend[], eventsEach: number) {
    this.#client = client
    this.#purchases = purchases
    this.#eventsEach = eventsEach
  }

  start(): void {
    this.#running = Promise.all(Array.from({ length: appendersMax }, () => this.#run()))
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const start = Math.floor(Math.random() * this.#purchases.length)
      const requests = this.#purchases.slice(start, start + appendsPerRequest).map(({ streamId, event }) => ({
        streamId,
        events: Array.from({ length: this.#eventsEach }, () => event),
      }))
      const answers = await this.#client.appendMany(requests)
      this.appended += answers.filter((each) => !(each instanceof EventStoreError)).length * this.#eventsEach
    }
  }
}
