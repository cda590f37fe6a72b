import { afterAll, beforeAll, expect, test } from 'vitest'

import { eventTopic, partitionFor } from '#domain'
import { LogReader, type StoredRecord, Topics } from '#kafka'

import type { RunCli } from '../../support/cli/cli.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import { startCli } from '../../support/cli/cli-process.ts'
import { openReplaySource, type ReplaySource } from '../../support/operations/replay-source.ts'
import { positionsOf } from '../../support/operations/replayed.ts'
import { uniqueName, waitFor } from '../../support/stack/stack.ts'

let source: ReplaySource
let here: RunCli
beforeAll(async () => {
  source = await openReplaySource()
  here = cliHere(source.where.env)
})
afterAll(() => source.close())

const recordsIn = async (name: string): Promise<StoredRecord[][]> => {
  const reader = new LogReader(source.cluster)
  const { partitions } = await source.cluster.topic(name)
  return Promise.all(
    partitions.map(async (_, partition) =>
      (await Array.fromAsync(reader.read(name, partition, { from: 0 }))).flat(),
    ),
  )
}

const withoutOffset = (records: readonly StoredRecord[]) =>
  records.map((record) => ({ ...record, offset: 0 }))

const sourceOf = ({ headers }: StoredRecord): string =>
  headers.find(([name]) => name === 'annals_replayed')?.[1].toString() ?? ''

const sourcesOf = (records: readonly StoredRecord[][]): string[] =>
  positionsOf(records.flat().map((record) => ({ position: sourceOf(record) })))

test('records are copied byte for byte, each with a header of its source', async () => {
  const copy = uniqueName('copy')
  expect(await here(['replay', source.type, '--to-topic', copy, '--create'])).toMatchObject({
    exitCode: 0,
    stderr: '',
  })
  const [copies, originals] = [await recordsIn(copy), await recordsIn(source.topic)]
  expect(sourcesOf(copies)).toEqual(source.all)
  for (const [partition, own] of copies.entries()) {
    const unmarked = own.map((record) => ({ ...record, headers: record.headers.slice(0, -1) }))
    expect(withoutOffset(unmarked)).toEqual(withoutOffset(originals[partition] ?? []))
  }
  const [described] = await new Topics(source.cluster).describe([copy])
  expect(described?.configs['retention.ms']).toBe('-1')
})

test('keys are partitioned for the partition count of the target; a short retention gives a warning', async () => {
  const copy = uniqueName('copy')
  const configs = { 'retention.ms': String(7 * 86_400_000) }
  await new Topics(source.cluster).ensure([{ name: copy, partitions: 3, replication: 1, configs }])
  const end = await here(['replay', source.type, '--to-topic', copy])
  expect(end).toMatchObject({ exitCode: 0 })
  expect(end.stderr).toContain(`warning: ${copy} deletes records older than 7 days`)
  const copies = await recordsIn(copy)
  expect(sourcesOf(copies).toSorted()).toEqual(source.all.toSorted())
  for (const [partition, own] of copies.entries()) {
    expect(own.every(({ key }) => partitionFor(key.toString(), 3) === partition)).toBe(true)
    for (const stream of Map.groupBy(own, ({ key }) => key.toString()).values()) {
      const offsets = stream.map((record) => Number(sourceOf(record).split(':')[2]))
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
    }
  }
})

/** The whole replay takes 20 s. A test that is suspended for several seconds still interrupts it. */
const slowRate = ['--rate', '60']

test(
  'a replay resumed after Ctrl-C writes each record once; after a kill at least once',
  { timeout: 180_000 },
  async () => {
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const copy = uniqueName('copy')
      const args = [
        'replay',
        source.type,
        '--to-topic',
        copy,
        '--create',
        '--checkpoint',
        source.pathOf(`${copy}.checkpoint`),
      ]
      const slow = startCli(source.where.env, [...args, ...slowRate])
      await waitFor('some copied records', async () => (await recordsIn(copy)).flat().length > 100)
      slow.process.kill(signal)
      await slow.ended
      expect(await here([...args, '--resume'])).toMatchObject({ exitCode: 0 })
      const sources = sourcesOf(await recordsIn(copy))
      expect([...new Set(sources)].toSorted()).toEqual(source.all.toSorted())
      if (signal === 'SIGINT') expect(sources).toEqual(source.all)
    }
  },
)

test('without a checkpoint, an interrupted replay prints the offsets to resume from', async () => {
  const copy = uniqueName('copy')
  const slow = startCli(source.where.env, [
    'replay',
    source.type,
    '--to-topic',
    copy,
    '--create',
    ...slowRate,
  ])
  await waitFor('some copied records', async () => (await recordsIn(copy)).flat().length > 100)
  slow.process.kill('SIGINT')
  const { exitCode, stdout } = await slow.ended
  expect(exitCode).toBe(130)
  const options =
    /Run the same command with ((?:--from-offset \d:\d+ )+)to continue;/
      .exec(stdout)?.[1]
      ?.trim()
      .split(' ') ?? []
  expect(await here(['replay', source.type, '--to-topic', copy, ...options])).toMatchObject({
    exitCode: 0,
  })
  expect(sourcesOf(await recordsIn(copy))).toEqual(source.all)
})

test('a target that does not exist, or that belongs to Annals, is refused', async () => {
  const missing = await here(['replay', source.type, '--to-topic', uniqueName('copy')])
  expect(missing).toMatchObject({ exitCode: 1 })
  expect(missing.stderr).toContain('create it, or add --create (4 partitions')
  for (const own of [
    source.topic,
    eventTopic('x'),
    `snapshots.${source.type}`,
    'projections.x',
    'deadletters.x',
  ]) {
    const refused = await here(['replay', source.type, '--to-topic', own, '--create'])
    expect(refused).toMatchObject({ exitCode: 2 })
    expect(refused.stderr).toContain('only services of Annals write to topics')
  }
})

test('a record that the target rejects is reported', async () => {
  const copy = uniqueName('copy')
  const configs = { 'max.message.bytes': '100' }
  await new Topics(source.cluster).ensure([{ name: copy, partitions: 4, replication: 1, configs }])
  const end = await here(['replay', source.type, '--to-topic', copy, '--json'])
  expect(end.exitCode).toBe(1)
  expect(end.stderr).toContain('Raise max.message.bytes of the target')
  expect(end.json()).toMatchObject({ error: { code: 'target-refused' } })
})
