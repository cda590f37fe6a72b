import { expect, onTestFinished, test } from 'vitest'

import { testClient } from '../support/services/closing.ts'
import { Post } from '../support/services/crew.ts'
import { shortSessions } from '../support/services/projector-process.ts'
import type { Installation } from '../support/services/real-writer.ts'
import { TcpProxy } from '../support/proxies/tcp-proxy.ts'
import { viewsOf } from '../support/projections/views-check.ts'
import { ViewFollower } from '../support/projections/view-followers.ts'
import { expectViewsOfLog } from '../support/projections/views-in-log.ts'
import { runningWriter, testInstallation } from '../support/services/writer-fixture.ts'
import { Traffic } from '../support/append/writer-traffic.ts'

/** A projector at a fixed address. When it is killed, another one replaces it. */
class Address {
  readonly #post: Post
  #proxy: TcpProxy | undefined

  constructor(where: Installation) {
    this.#post = new Post('projector', where)
  }

  async open(): Promise<void> {
    await this.#post.fill()
    const proxy = await TcpProxy.start(this.#post.url)
    this.#proxy = proxy
    onTestFinished(() => proxy.close())
  }

  get url(): string {
    return this.#proxy?.url ?? ''
  }

  async kill(): Promise<void> {
    await this.#post.kill()
    this.#proxy?.turnTo(this.#post.url)
  }

  async restart(): Promise<void> {
    await this.#post.leave()
    await this.#post.fill()
    this.#proxy?.turnTo(this.#post.url)
  }
}

test('subscribers have the last state of every view, whichever projector they are connected to, or owns the projection, is killed or restarted', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '4', ...shortSessions })
  const writer = await runningWriter(where)
  const addresses = [new Address(where), new Address(where)] as const
  await Promise.all(addresses.map((address) => address.open()))
  const [one, other] = addresses
  const traffic = new Traffic(testClient({ url: writer.url }), where.domain.types)
  onTestFinished(() => traffic.stop())
  await traffic.waitForMore(50)
  const { lifetime, monthly } = where.domain.projections
  const follower = (name: string, urls: readonly string[], breakOffAfter?: number) => {
    const projection = testClient({ urls, direct: false }).projection(name)
    return new ViewFollower(projection, breakOffAfter === undefined ? {} : { breakOffAfter })
  }
  const followers = [
    follower(lifetime, [one.url]),
    follower(lifetime, [other.url]),
    follower(lifetime, [one.url, other.url], 20),
  ]
  const months = [follower(monthly, [one.url]), follower(monthly, [one.url, other.url], 3)]

  await one.kill()
  await traffic.waitForMore(100)
  await other.kill()
  await traffic.waitForMore(100)
  await one.restart()
  await traffic.waitForMore(100)
  await traffic.stop()
  await expectViewsOfLog(where, other.url)
  const lifetimes = await viewsOf(one.url, lifetime)
  for (const each of followers) await each.has(lifetimes)
  const monthsNow = await viewsOf(one.url, monthly)
  for (const each of months) await each.has(monthsNow)
  expect(lifetimes.size).toBe(traffic.streams.length)
})
