import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'

import { AnnalsClient } from '#client'
import { aggregateIdOf, eventTopic, parseStreamId, type Version } from '#domain'
import { type LogRecord } from '#kafka'
import type { Backends } from '#service'

import type { VerifyFinding } from '#operations'
import { type Foreign, misfits, notEvents, someOf } from '../../fuzz/foreign-records.ts'
import { fuzzFactor, fuzzSettings } from '../../fuzz/fuzz-settings.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import { indexKeys, openIndex } from '../../support/index/index-keys.ts'
import { appendPast, openHands, placeOf, purchaseRecord } from '../../support/append/past-the-writer.ts'
import { poisonInstallation, writePastWriter } from '../../support/services/poison-domain.ts'
import { metricOf } from '../../support/services/projector-process.ts'
import { startServiceProcess } from '../../support/services/service-process.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { freshStream, purchase } from '../../support/services/writer-fixture.ts'

const partitions = 2

/** An installation in which projections set aside what cannot be read, and one stream in it. */
function system() {
  const { env, mended, ...where } = poisonInstallation({
    ANNALS_KAFKA_PARTITIONS: String(partitions),
    ANNALS_PROJECTOR_AFTER_TIMEOUT: '30s',
  })
  const streamId = freshStream(where.type)
  const { partition } = placeOf(streamId, where.type, partitions)
  return { ...where, env: { ...env, ...mended }, streamId, partition, version: 0, foreign: new Set<number>() }
}
type System = ReturnType<typeof system>

/** Writer, snapshotter and projector, gone at the end of the test at the latest. */
async function started(where: System) {
  const platform = await startServiceProcess('platform', where)
  const client = new AnnalsClient({ url: platform.url })
  const stop = async () => {
    await client.close()
    await platform.stop()
  }
  onTestFinished(stop)
  return { platform, client, stop }
}
type Started = Awaited<ReturnType<typeof started>>

/** Appends to the stream, and sees it in everything that is made of the log. @returns its offset */
async function appendSeen(where: System, { client }: Started): Promise<number> {
  const { streamId } = where
  const result = await client.append(streamId, [purchase()], { expectedVersion: where.version as Version })
  where.version = result.lastVersion
  expect(await client.state(streamId)).toMatchObject({ version: where.version })
  const views = client.projection(where.stopping)
  const key = aggregateIdOf(parseStreamId(streamId))
  const view = await views.get(key, { after: result.position, timeoutMs: 30_000 })
  expect(view).toMatchObject({ view: { purchases: where.version } })
  expect(await client.snapshot(streamId)).toMatchObject({ version: where.version })
  return result.position.offset
}

/** Writes records as any program can that has the right to, between two appends to the same stream. */
async function intrude(where: System, running: Started, kinds: readonly Foreign[], own: LogRecord) {
  const before = await appendSeen(where, running)
  const messages = kinds.map(({ change }) => toMessage(change(own)))
  await writePastWriter(where, where.partition, messages)
  expect(await appendSeen(where, running)).toBe(before + kinds.length + 1)
  kinds.forEach((_, index) => where.foreign.add(before + 1 + index))
}

const toMessage = ({ key, value, headers }: LogRecord) => ({
  key,
  value,
  headers: Object.fromEntries(headers) as Record<string, string | Buffer>,
})

const reported = ({ platform }: Started) => metricOf(platform.url, 'annals_writer_foreign_records_total')

async function category(where: System, { client }: Started): Promise<readonly number[]> {
  const { events } = await client.readCategory(where.type, { limit: 1_000 })
  return events.map(({ version }) => version)
}

test(
  'foreign records in an event topic are left out and told, and everything goes on: before and after the index is lost',
  { timeout: 180_000 * fuzzFactor },
  async () => {
    const where = system()
    const hands = await openHands(where)
    const own = purchaseRecord(hands, where.type, where.streamId, 7)
    const first = await started(where)
    await fc.assert(
      fc.asyncProperty(someOf(notEvents), (kinds) => intrude(where, first, kinds, own)),
      { ...fuzzSettings(12), endOnFailure: true },
    )
    await waitFor('a report of each', async () => (await reported(first)) === where.foreign.size)
    expect(await category(where, first)).toEqual(
      Array.from({ length: where.version }, (_, index) => index + 1),
    )
    await intrudeAsOwner(where, hands, first, own)
    await first.stop()

    const redis = await openIndex(where)
    for (const key of await indexKeys(redis)) await redis.call('UNLINK', [key])
    const second = await started(where)
    // The rebuild that found misfits met the others, too, and began anew.
    expect(await reported(second)).toBeGreaterThanOrEqual(where.foreign.size)
    await appendSeenAnew(where, second)
    await expectNamed(where)
  },
)

/**
 * By a process with the rights of an owner, which takes over first: the rule of terms does not keep these out. Some are no events, some
 * are well written, but of versions that do not follow: whoever makes views of those cannot know.
 */
async function intrudeAsOwner(
  where: System,
  hands: Backends,
  { client }: Started,
  own: LogRecord,
): Promise<void> {
  const append = async () => {
    const { lastVersion, position } = await client.append(where.streamId, [purchase()])
    where.version = lastVersion
    return position.offset
  }
  await append()
  const records = [...notEvents, ...misfits].map(({ change }) => change(own))
  const first = await appendPast(hands, eventTopic(where.type), where.partition, records)
  expect(await append()).toBeGreaterThan(first + records.length - 1)
  records.forEach((_, index) => where.foreign.add(first + index))
}

async function appendSeenAnew(where: System, { client }: Started): Promise<void> {
  const expectedVersion = where.version as Version
  const { lastVersion } = await client.append(where.streamId, [purchase()], { expectedVersion })
  expect(lastVersion).toBe(where.version + 1)
  where.version = lastVersion
  expect(await client.state(where.streamId)).toMatchObject({ version: lastVersion })
}

/** Verify finds each foreign record, and says where it is. */
async function expectNamed({ env, foreign }: System): Promise<void> {
  const end = await cliHere(env)(['verify', '--json', '--findings-max', '10000'])
  expect(end.exitCode).toBe(1)
  const { findings } = end.json() as unknown as { readonly findings: readonly VerifyFinding[] }
  const named = new Set(
    findings
      .filter(({ part }) => part === 'log')
      .flatMap(({ where: { offset = -1, lastOffset = offset } }) =>
        Array.from({ length: lastOffset - offset + 1 }, (_, index) => offset + index),
      ),
  )
  expect([...foreign].filter((offset) => !named.has(offset))).toEqual([])
}
