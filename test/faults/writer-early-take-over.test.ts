import { expect, onTestFinished, test } from 'vitest'

import type { AnnalsClient } from '#client'
import type { EventStore } from '#event-store'
import type { EarlyStep } from '#ownership'

import { expectIndexEqualsLog, readLog } from '../support/append/log-check.ts'
import { Traffic } from '../support/append/writer-traffic.ts'
import { TcpProxy } from '../support/proxies/tcp-proxy.ts'
import { testClient } from '../support/services/closing.ts'
import { metricOf } from '../support/services/projector-process.ts'
import type { Installation } from '../support/services/real-writer.ts'
import type { ServiceProcess } from '../support/services/service-process.ts'
import { runningProcess, streamPerPartition, testInstallation } from '../support/services/writer-fixture.ts'
import { waitFor } from '../support/stack/stack.ts'

const partitions = 16
/** The promise is 1.5 s on a machine with time for it. This one runs everything else as well, so a stall is not a failure. */
const killedMsMax = 3_000
const sessionMs = 8_000

/** The longest time that a call of `append` took since the last look, its retries included. */
class TimedAppends implements Pick<EventStore, 'append'> {
  longestMs = 0
  readonly #client: AnnalsClient

  constructor(client: AnnalsClient) {
    this.#client = client
  }

  readonly append: EventStore['append'] = async (...args) => {
    const sinceMs = performance.now()
    try {
      return await this.#client.append(...args)
    } finally {
      this.longestMs = Math.max(this.longestMs, performance.now() - sinceMs)
    }
  }
}

/** Waits until these writers, and no others, own all partitions evenly, as one of them sees it. */
const shared = (client: AnnalsClient, writers: readonly { readonly url: string }[]) =>
  waitFor(`${writers.length} writers share ${partitions} partitions`, async () => {
    const owners = await client.owners()
    const counts = writers.map(({ url }) => owners.filter((owner) => owner.url === url).length)
    const isEven = Math.max(...counts) - Math.min(...counts) <= 1
    return isEven && counts.reduce((a, b) => a + b) === partitions
  })

const early = ({ url }: { readonly url: string }, step: EarlyStep) =>
  metricOf(url, 'annals_writer_early_take_overs_total', { step })
const termsOf = ({ url }: { readonly url: string }) => metricOf(url, 'annals_writer_take_over_seconds_count')

const sum = async (figures: readonly Promise<number>[]): Promise<number> =>
  (await Promise.all(figures)).reduce((a, b) => a + b)

/** Fifty callers through the SDK. */
function callersOf(writers: readonly ServiceProcess[], { domain }: Installation) {
  const client = testClient({ urls: writers.map(({ url }) => url) })
  const timed = new TimedAppends(client)
  const traffic = new Traffic(timed, domain.types, { callers: 50, streamsPerType: 60 })
  onTestFinished(() => traffic.stop())
  return { timed, traffic }
}

async function expectWhole(where: Installation, traffic: Traffic): Promise<void> {
  await traffic.stop()
  traffic.expectWhole(await readLog(where))
  await expectIndexEqualsLog(where)
}

test('successors take over from a killed writer within a second and keep its partitions; no append is lost or duplicated', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '8' }, 2)
  const writers = [await runningProcess(where), await runningProcess(where), await runningProcess(where)]
  const [first, second, third] = writers as [ServiceProcess, ServiceProcess, ServiceProcess]
  const client = testClient({ url: first.url })
  await shared(client, writers)
  const { timed, traffic } = callersOf(writers, where)
  await traffic.waitForMore(500)

  const survivors = [first, second]
  const owned = (await client.owners()).filter(({ url }) => url === third.url).length
  timed.longestMs = 0
  const killedAtMs = performance.now()
  third.kill('SIGKILL')
  await waitFor('successors for all of its partitions', async () => {
    return (await sum(survivors.map((each) => early(each, 'taken')))) === owned
  })
  const takenMs = performance.now() - killedAtMs
  await shared(client, survivors)
  await traffic.waitForMore(500)
  const killedMs = timed.longestMs
  const terms = await sum(survivors.map(termsOf))
  // The group notices when the session has ended, and assigns the partitions to the members that have them.
  await waitFor('the group to assign what was taken over', async () => {
    return (await sum(survivors.map((each) => early(each, 'kept')))) === owned
  })
  await traffic.waitForMore(500)
  process.stdout.write(
    `after SIGKILL the longest append took ${killedMs.toFixed()} ms, ${timed.longestMs.toFixed()} ms with the rebalance; ${owned} partitions, all taken over after ${takenMs.toFixed()} ms; ${traffic.acknowledged.length} appends, errors: ${JSON.stringify([...traffic.retries])}\n`,
  )
  expect(killedMs).toBeLessThan(killedMsMax)
  expect(await sum(survivors.map(termsOf)), 'the rebalance started no term again').toBe(terms)
  expect([...traffic.retries]).toEqual([])
  await expectWhole(where, traffic)
})

test('a frozen writer is left to the group', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '16', ANNALS_WRITER_SESSION_TIMEOUT: '6s' })
  const [living, frozen] = [await runningProcess(where), await runningProcess(where)]
  const client = testClient({ url: living.url, direct: false })
  await shared(client, [living, frozen])
  const { traffic } = callersOf([living, frozen], where)
  await traffic.waitForMore()
  frozen.kill('SIGSTOP')
  onTestFinished(() => {
    frozen.kill('SIGCONT')
  })
  await shared(client, [living])
  expect(await early(living, 'taken')).toBe(0)
  expect(await metricOf(living.url, 'annals_writer_peers_down')).toBe(0)
  frozen.kill('SIGCONT')
  await shared(client, [living, frozen])
  await expectWhole(where, traffic)
})

test('a writer that lives but refuses its peers loses each partition once per back-off, and takes it back', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '16' })
  const seeing = await runningProcess(where)
  // Nobody listens there until the proxy does, so the port is known before the writer is.
  const { proxy, hidden } = await behindProxy(where)
  const client = testClient({ url: seeing.url, direct: false })
  await shared(client, [seeing, { url: proxy.url }])
  // Callers reach the hidden writer directly, in all partitions, so it notices that they were taken.
  const direct = testClient({ url: hidden.url, direct: false, timeoutMs: 10_000 })
  const traffic = new Traffic(direct, where.domain.types, { callers: 16, streamsPerType: 160 })
  onTestFinished(() => traffic.stop())
  await traffic.waitForMore(200)
  await proxy.close()

  // An owner notices that another has taken over when it is used.
  const prompt = testClient({ url: seeing.url, direct: false, retries: { triesMax: 1 } })
  const streams = streamPerPartition(where.type, partitions)
  await waitFor('the hidden writer to take its partitions back', async () => {
    await Promise.allSettled(streams.map((streamId) => prompt.load(streamId)))
    const taken = await early(seeing, 'taken')
    return taken > 0 && taken === (await early(seeing, 'lost'))
  })
  const [taken, terms] = [await early(seeing, 'taken'), await termsOf(hidden)]
  // Longer than the pause of a fenced owner, and than a session.
  const untilMs = performance.now() + sessionMs
  await waitFor('a while', async () => {
    await Promise.allSettled(streams.map((streamId) => prompt.load(streamId)))
    return performance.now() > untilMs
  })
  expect(await early(seeing, 'taken'), 'each partition at most once').toBe(taken)
  expect(taken).toBeLessThanOrEqual(8)
  expect(await termsOf(hidden), 'and taken back at most once').toBe(terms)
  process.stdout.write(`a hidden writer lost ${taken} partitions, and has had ${terms} terms\n`)
  await expectWhole(where, traffic)
})

/** A writer that advertises the address of a proxy. */
async function behindProxy(where: Installation): Promise<{ proxy: TcpProxy; hidden: ServiceProcess }> {
  const proxy = await TcpProxy.start('http://127.0.0.1:1')
  onTestFinished(() => proxy.close())
  const hidden = await runningProcess(where, { ANNALS_ADVERTISED_URL: proxy.url }, '/health/live')
  proxy.turnTo(hidden.url)
  return { proxy, hidden }
}
