import { beforeAll, describe, expect, test } from 'vitest'

import type { ReadOptions, RecordedEvent, StreamId, Version } from '#domain'

import { freshStream, purchase, purchases } from '../../support/services/writer-fixture.ts'
import { writerForFile } from '../../support/services/writer-for-file.ts'

/** Longer than one chunk of offsets, and than one read step of the log. */
const length = 300

const partitions = { ANNALS_KAFKA_PARTITIONS: '3' }
const remembering = await writerForFile(partitions)
/** Its memory is too small for the stream, so every read is one of the log. */
const forgetful = await writerForFile({ ...partitions, ANNALS_WRITER_STREAMS_MEMORY: '1KiB' })

const versionsOf = (events: readonly RecordedEvent[]) => events.map(({ version }) => version)

const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe.each([
  ['memory', remembering],
  ['the log', forgetful],
])('from %s', (_, { where, client }) => {
  let streamId: StreamId
  let all: readonly RecordedEvent[]

  beforeAll(async () => {
    streamId = freshStream(where.type)
    // One batch per event, with events of other streams between them.
    for (let version = 1; version <= length; version++) {
      await Promise.all([
        client.append(streamId, [purchase(version)]),
        client.append(freshStream(where.type), [purchase()]),
      ])
    }
    all = await Array.fromAsync(client.readAll(streamId))
  })

  test('a long stream is read completely', async () => {
    expect(all.map(({ data }) => (data as { cds: number }).cds)).toEqual(upTo(1, length))
    expect(versionsOf(all)).toEqual(upTo(1, length))
    expect(await Array.fromAsync(client.readAll(streamId))).toEqual(all)
    expect(await Array.fromAsync(client.readAll(streamId, { limit: 7 }))).toEqual(all)
  })

  test('pages by version, in both directions', async () => {
    const cases: [ReadOptions, number[]][] = [
      [{ fromVersion: 290 as Version }, upTo(290, 300)],
      [{ fromVersion: 5 as Version, toVersion: 9 as Version }, upTo(5, 9)],
      [{ fromVersion: 100 as Version, limit: 3 }, [100, 101, 102]],
      [{ direction: 'backwards', limit: 3 }, [300, 299, 298]],
      [{ direction: 'backwards', toVersion: 130 as Version, limit: 4 }, [130, 129, 128, 127]],
      [
        { direction: 'backwards', fromVersion: 127 as Version, toVersion: 130 as Version },
        [130, 129, 128, 127],
      ],
      [{ fromVersion: 301 as Version }, []],
    ]
    for (const [options, versions] of cases) {
      const page = await client.read(streamId, options)
      expect(versionsOf(page.events), JSON.stringify(options)).toEqual(versions)
      expect(page.version).toBe(length)
      expect(page.events).toEqual(versions.map((version) => all[version - 1]))
    }
    const { next } = await client.read(streamId, { direction: 'backwards', limit: 10 })
    expect(next).toBe(290)
  })

  test('events can be read by time, and the state at a version and at a time', async () => {
    const [at150 = '', at200 = ''] = [all[149]?.timestamp, all[199]?.timestamp]
    const between = await Array.fromAsync(client.readAll(streamId, { from: at150, until: at200, limit: 11 }))
    expect(between).toEqual(all.filter(({ timestamp }) => timestamp >= at150 && timestamp < at200))
    const backwards = await client.read(streamId, { until: at150, direction: 'backwards', limit: 5 })
    expect(backwards.events).toEqual(
      all
        .filter(({ timestamp }) => timestamp < at150)
        .reverse()
        .slice(0, 5),
    )

    expect(await client.state(streamId, { version: 150 as Version })).toMatchObject({
      version: 150,
      state: { cds: (150 * 151) / 2 },
    })
    const last = all.filter(({ timestamp }) => timestamp <= at150).length
    expect(await client.state(streamId, { at: at150 })).toMatchObject({
      version: last,
      state: { cds: (last * (last + 1)) / 2 },
    })
    expect(await client.state(streamId, { version: 0 as Version })).toMatchObject({
      version: 0,
      state: { cds: 0 },
    })
    await expect(client.state(streamId, { version: (length + 1) as Version })).rejects.toMatchObject({
      code: 'version-not-found',
      details: { path: 'version', actual: length },
    })
    await expect(client.state(freshStream(where.type), { version: 0 as Version })).rejects.toMatchObject({
      code: 'stream-not-found',
    })
    expect(await client.state(streamId)).toMatchObject({ version: length })
    await expect(client.state(streamId, { at: '2001-01-01' })).rejects.toMatchObject({
      code: 'stream-not-found',
    })
  })

  test('a load returns all events, before and after an append', async () => {
    const own = freshStream(where.type)
    await client.append(own, purchases(30))
    const before = await client.load(own)
    expect(versionsOf(before.events)).toEqual(upTo(1, 30))
    expect(await client.load(own)).toEqual(before)
    await client.append(own, [purchase(31)])
    expect(versionsOf((await client.load(own)).events)).toEqual(upTo(1, 31))
  })
})
