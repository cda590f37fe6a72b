import { afterAll, beforeAll, expect, test } from 'vitest'

import { AnnalsClient } from '#client'
import type { AppendResult, NewEvent, StreamId, Version } from '#domain'
import { EventStoreError, readAll } from '#event-store'

import {
  type Installation,
  installation,
  type RealWriter,
  startRealWriter,
} from '../../support/services/real-writer.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { freshStream, purchase } from '../../support/services/writer-fixture.ts'

let where: Installation
let writers: RealWriter[]
let clients: AnnalsClient[]

beforeAll(async () => {
  where = installation({ ANNALS_KAFKA_PARTITIONS: '6' })
  writers = await Promise.all([1, 2, 3].map(() => startRealWriter(where)))
  // Each client uses its own writer, which forwards requests for other partitions.
  clients = writers.map(({ url }) => new AnnalsClient({ url, direct: false }))
  const [client] = clients as [AnnalsClient]
  await waitFor('each writer owns two partitions', async () => {
    const counts = Map.groupBy(await client.owners(), ({ url }) => url)
    return [...counts.values()].map((owned) => owned.length).join() === '2,2,2'
  })
})
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await Promise.all(writers.map((writer) => writer.close()))
  where.domain.remove()
})

const clientAt = (index: number): AnnalsClient => clients[index % clients.length] as AnnalsClient

const appendOrLose = (
  client: AnnalsClient,
  streamId: StreamId,
  events: NewEvent[],
  version: number,
): Promise<AppendResult | EventStoreError> =>
  client.append(streamId, events, { expectedVersion: version as Version }).catch((error: unknown) => {
    if (error instanceof EventStoreError && error.code === 'wrong-expected-version') return error
    throw error
  })

test.each(['one writer', 'three writers'])(
  'of many callers that expect the same version through %s, exactly one gets each version',
  async (through) => {
    const streamId = freshStream(where.type)
    for (let version = 0; version < 15; version++) {
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, caller) =>
          appendOrLose(clientAt(through === 'one writer' ? 0 : caller), streamId, [purchase()], version),
        ),
      )
      const won = answers.filter((answer): answer is AppendResult => !(answer instanceof EventStoreError))
      const lost = answers.filter((answer) => answer instanceof EventStoreError)
      expect(won.map(({ firstVersion }) => firstVersion)).toEqual([version + 1])
      expect(lost.map(({ details }) => details.actual)).toEqual(lost.map(() => version + 1))
    }
    const events = await Array.fromAsync(clientAt(1).readAll(streamId))
    expect(events.map(({ version }) => version)).toEqual(Array.from({ length: 15 }, (_, index) => index + 1))
  },
)

test('a thousand callers on one stream with `any` get the versions 1 to 1,000, each once, and each its own', async () => {
  const streamId = freshStream(where.type)
  const results = await Promise.all(
    Array.from({ length: 1_000 }, (_, caller) => clientAt(caller).append(streamId, [purchase(caller + 1)])),
  )
  const byVersion = results.toSorted((a, b) => a.firstVersion - b.firstVersion)
  expect(byVersion.map(({ firstVersion }) => firstVersion)).toEqual(results.map((_, index) => index + 1))
  const events = await Array.fromAsync(readAll(clientAt(2), streamId, { limit: 1_000 }))
  expect(events.map(({ version, id }) => ({ version, id }))).toEqual(
    byVersion.map(({ firstVersion, eventIds }) => ({ version: firstVersion, id: eventIds[0] })),
  )
  expect(results.every(({ duplicate }) => !duplicate)).toBe(true)
})

/** The current versions of a stream at every writer. */
const seenEverywhere = (streamId: StreamId) =>
  Promise.all(
    clients.map(async (client) => {
      const [loaded, page, info] = await Promise.all([
        client.load(streamId),
        client.read(streamId, { limit: 1_000 }),
        client.info(streamId),
      ])
      return [loaded.events.at(-1)?.version, page.events.at(-1)?.version, info.version].map(Number)
    }),
  )

test('an acknowledged append is visible to the next load, read and info at every writer, under load', async () => {
  const streams = Array.from({ length: 6 }, () => freshStream(where.type))
  await Promise.all(
    streams.map(async (streamId, place) => {
      for (let round = 0; round < 25; round++) {
        const { lastVersion }: AppendResult = await clientAt(place + round).append(streamId, [purchase()])
        for (const versions of await seenEverywhere(streamId)) {
          expect(versions, `${streamId} after version ${lastVersion}`).toEqual(
            versions.map(() => lastVersion),
          )
        }
      }
    }),
  )
})
