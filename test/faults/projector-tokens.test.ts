import { expect, onTestFinished, test, vi } from 'vitest'

import type { AnnalsClient } from '#client'
import { aggregateIdOf, formatPosition, type Position, type StreamId } from '#domain'

import { testClient } from '../support/services/closing.ts'
import { Post } from '../support/services/crew.ts'
import { callerOf } from '../support/http/http-call.ts'
import { ownedBy, projectorProcess, shortSessions } from '../support/services/projector-process.ts'
import type { Installation } from '../support/services/real-writer.ts'
import { waitFor } from '../support/stack/stack.ts'
import { expectViewsOfLog } from '../support/projections/views-in-log.ts'
import {
  freshStream,
  purchase,
  runningWriter,
  streamPerPartition,
  testInstallation,
} from '../support/services/writer-fixture.ts'

// Processes start one after the other: on a busy machine that alone has taken a minute.
vi.setConfig({ testTimeout: 300_000 })

const partitions = 4
const callers = 32
const env = { ANNALS_KAFKA_PARTITIONS: String(partitions), ...shortSessions }

/** The result of reading a view with the token of an append. */
interface Read {
  readonly purchases: number
  readonly code: unknown
}

async function read(
  url: string,
  name: string,
  key: string,
  after: Position,
  timeoutMs: number,
): Promise<Read> {
  const token = encodeURIComponent(formatPosition(after))
  const path = `/projections/${name}/views/${key}?after=${token}&timeoutMs=${timeoutMs}`
  const { status, body } = await callerOf(url)('GET', path)
  const view = body['view'] as { readonly purchases: number } | undefined
  return { purchases: view?.purchases ?? 0, code: status === 200 ? 'found' : body['code'] }
}

/** Callers that append, and then immediately read what must include it, from either projector. */
class ReadersOfTheirWrites {
  reads = 0
  /** Responses that a view was missing, or a projector. */
  readonly retries = new Map<unknown, number>()
  readonly stale: string[] = []
  readonly #client: AnnalsClient
  readonly #where: Installation
  readonly #urls: () => readonly string[]
  readonly #streams: readonly StreamId[]
  readonly #acknowledged: Position[] = []
  readonly #calling: Promise<void>[]
  #isOver = false

  constructor(client: AnnalsClient, where: Installation, urls: () => readonly string[]) {
    this.#client = client
    this.#where = where
    this.#urls = urls
    this.#streams = Array.from({ length: callers / 2 }, () => freshStream(where.type))
    this.#calling = Array.from({ length: callers }, (_, caller) => this.#call(caller))
  }

  async waitForMore(reads: number): Promise<void> {
    const goal = this.reads + reads
    await waitFor(`${reads} more reads`, () => Promise.resolve(this.reads >= goal), { timeoutMs: 30_000 })
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#calling)
  }

  async #call(caller: number): Promise<void> {
    const { lifetime, monthly } = this.#where.domain.projections
    const streamId = this.#streams[caller % this.#streams.length] as StreamId
    for (let round = caller; !this.#isOver; round++) {
      const { position, lastVersion } = await this.#client.append(streamId, [purchase()])
      this.#acknowledged.push(position)
      if (round % 4 > 0) await this.#read(round, lifetime, aggregateIdOf(streamId), position, lastVersion)
      else await this.#read(round, monthly, '1997-01', position, this.#acknowledgedUpTo(position))
      this.reads++
    }
  }

  /** Acknowledged events of the same partition. */
  #acknowledgedUpTo({ partition, offset }: Position): number {
    return this.#acknowledged.filter((each) => each.partition === partition && each.offset <= offset).length
  }

  async #read(turn: number, name: string, key: string, after: Position, atLeast: number): Promise<void> {
    for (let tries = turn; ; tries++) {
      const urls = this.#urls()
      const { purchases, code } = await read(urls[tries % urls.length] ?? '', name, key, after, 5_000).catch(
        () => ({ purchases: 0, code: 'no-projector' }),
      )
      if (code === 'projection-behind' || code === 'unavailable' || code === 'no-projector') {
        this.retries.set(code, (this.retries.get(code) ?? 0) + 1)
        continue
      }
      if (purchases < atLeast) this.stale.push(`${name} ${key}: ${purchases} (${String(code)}) of ${atLeast}`)
      return
    }
  }
}

test('32 callers read their own writes at once, from either projector, while one is killed and another restarted: never a stale response', async () => {
  const where = testInstallation(env)
  const writer = await runningWriter(where)
  const posts = [new Post('projector', where), new Post('projector', where)] as const
  await Promise.all(posts.map((post) => post.fill()))
  const urls = () => posts.map(({ url }) => url)
  const readers = new ReadersOfTheirWrites(testClient({ url: writer.url }), where, urls)
  onTestFinished(() => readers.stop())
  await readers.waitForMore(300)
  await posts[0].kill()
  await readers.waitForMore(300)
  await posts[1].process.stop()
  await posts[1].fill()
  await readers.waitForMore(300)
  await readers.stop()
  expect(readers.stale).toEqual([])
  expect([...readers.retries.values()].reduce((sum, each) => sum + each, 0)).toBeGreaterThan(0)
  await expectViewsOfLog(where, posts[0].url)
})

test('the other projector does not serve what a frozen one has not applied: a read with its token reports that the projection is behind, until it is applied', async () => {
  // No other projector takes over from the frozen one, however long the rest of the test takes.
  const where = testInstallation({ ...env, ANNALS_PROJECTOR_SESSION_TIMEOUT: '2m' })
  const { lifetime } = where.domain.projections
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const [frozen, other] = [await projectorProcess(where), await projectorProcess(where)]
  const streams = streamPerPartition(where.type, partitions)
  const buy = async (streamId: StreamId) => (await client.append(streamId, [purchase()])).position
  /** Reads all streams once `applied` events are applied; the delay does not matter here. */
  const readAll = (positions: readonly Position[], applied: number) =>
    waitFor(`${applied} of the events to be applied`, async () => {
      const reads = await Promise.all(
        positions.map((position, index) =>
          read(other.url, lifetime, aggregateIdOf(streams[index] as StreamId), position, 500),
        ),
      )
      return reads.filter(({ code }) => code !== 'projection-behind').length >= applied && reads
    })
  await waitFor('the partitions to be assigned', async () => {
    const owned = await Promise.all([frozen, other].map(({ url }) => ownedBy(url)))
    return owned.every((count) => count === partitions / 2)
  })
  const first = await Promise.all(streams.map(buy))
  expect(await readAll(first, partitions)).toEqual(streams.map(() => ({ purchases: 1, code: 'found' })))
  frozen.kill('SIGSTOP')
  const second = await Promise.all(streams.map(buy))
  const answers = await readAll(second, partitions / 2)
  expect(answers.toSorted((a, b) => b.purchases - a.purchases)).toEqual([
    ...Array.from({ length: partitions / 2 }, () => ({ purchases: 2, code: 'found' })),
    ...Array.from({ length: partitions / 2 }, () => ({ purchases: 0, code: 'projection-behind' })),
  ])
  frozen.kill('SIGCONT')
  expect(await readAll(second, partitions)).toEqual(streams.map(() => ({ purchases: 2, code: 'found' })))
})
