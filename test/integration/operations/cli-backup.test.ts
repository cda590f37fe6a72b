import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { Kafka } from 'kafkajs'
import { expect, onTestFinished, test } from 'vitest'

import { eventTopic } from '#domain'
import { topicConfigs, Topics } from '#kafka'

import {
  appendSome,
  backupsIn,
  filesIn,
  filledInstallation,
  freshStreams,
  partitions,
  recordsOf,
  testFolder,
} from '../../support/operations/backup-source.ts'
import type { Json } from '../../support/cli/cli.ts'
import { annalsOf, cliHere } from '../../support/cli/cli-here.ts'
import { startCli } from '../../support/cli/cli-process.ts'
import { openDirectBackends } from '../../support/append/past-the-writer.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { streamPerPartition } from '../../support/services/writer-fixture.ts'

const manifestOf = (folder: string, backup: string): Json =>
  JSON.parse(readFileSync(join(folder, backup, 'manifest.json'), 'utf8')) as Json

/** The lines of a backup's files, as anybody can read them. */
const linesIn = (folder: string, backup: string): { offset: number; key: string; headers: unknown[] }[] =>
  filesIn(folder, backup).flatMap((file) =>
    execFileSync('gzip', ['-dc', file], { encoding: 'utf8', maxBuffer: 1 << 28 })
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { offset: number; key: string; headers: unknown[] }),
  )

test('the first backup has everything, a further one only what is new, and a third nothing', async () => {
  const where = await filledInstallation()
  const folder = join(testFolder(), 'made', 'here')
  const annals = annalsOf(where)
  const full = await annals(['backup', folder, '--json'])
  expect(full.json()).toMatchObject({ status: 'made', kind: 'full', events: 100, warnings: [] })
  const added = freshStreams(where.type, 2)
  await appendSome(where, added, 4)
  const further = await annals(['backup', folder])
  expect(further.stdout).toMatch(
    /^Kafka cluster \S+ at .*\nCreated \S+-incremental: 8 events of 1 topic, [\d,]+ bytes, in \S+ s/,
  )
  const third = await annals(['backup', folder, '--json'])
  const [first = '', second = ''] = backupsIn(folder)
  expect(third.json()).toMatchObject({ status: 'nothing-new', since: second })
  expect(
    linesIn(folder, second)
      .map(({ key }) => key)
      .sort(),
  ).toEqual(added.flatMap((streamId) => Array.from({ length: 4 }, () => streamId)).sort())
  const offsets = (await recordsOf(where)).flatMap((own) => own.map(({ offset }) => offset))
  const backedUp = [first, second].flatMap((backup) => linesIn(folder, backup)).map(({ offset }) => offset)
  expect(backedUp.sort()).toEqual(offsets.sort())

  const listed = await annals(['backup', 'list', folder, '--json'])
  expect(listed.json()).toMatchObject({
    backups: [
      { id: first, kind: 'full', events: 100 },
      { id: second, kind: 'incremental', previous: first, events: 8 },
    ],
  })
  expect(await cliHere({})(['backup', 'check', folder])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^No findings: 2 backups in 1 chains/) as string,
  })
  execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: join(folder, second) })
})

test('a manifest tells topics, schemas and settings, and no secret', async () => {
  const where = await filledInstallation(2)
  const folder = testFolder()
  const url = new URL(where.env['ANNALS_REGISTRY_URL'] ?? '')
  url.username = 'ann'
  url.password = 'hush'
  await cliHere({ ...where.env, ANNALS_REGISTRY_URL: url.href })(['backup', folder])
  const manifest = manifestOf(folder, backupsIn(folder)[0] ?? '')
  const [topic] = manifest['topics'] as Json[]
  expect(topic).toMatchObject({
    name: eventTopic(where.type),
    partitions: 3,
    settings: { 'retention.ms': '-1', 'cleanup.policy': 'delete' },
  })
  expect(manifest['schemas']).toEqual([
    expect.objectContaining({ subject: expect.stringContaining(where.type) as string, version: 1 }),
  ])
  expect(manifest['configuration']).toMatchObject({ ANNALS_KAFKA_PARTITIONS: '3' })
  expect(JSON.stringify(manifest)).not.toContain('hush')
})

test('a topic that was created again is rejected, and --full starts a new chain', async () => {
  const where = await filledInstallation(6)
  const { cluster } = await openDirectBackends(where)
  const topic = eventTopic(where.type)
  const folder = testFolder()
  const annals = annalsOf(where)
  await annals(['backup', folder])
  const [id = ''] = backupsIn(folder)
  await new Topics(cluster).delete(topic)
  await new Topics(cluster).ensure([
    { name: topic, partitions: 3, replication: 1, configs: topicConfigs.events },
  ])
  const other = await annals(['backup', folder])
  expect(other).toMatchObject({ exitCode: 1, stdout: '' })
  expect(other.stderr).toContain(`${topic} is not the topic that was backed up`)
  expect(other.stderr).toContain('Start a new chain with --full')
  expect(backupsIn(folder)).toEqual([id])
  expect(await annals(['backup', folder, '--full'])).toMatchObject({ exitCode: 0 })
  expect(backupsIn(folder)).toHaveLength(2)
  expect(await annals(['backup', folder, '--json'])).toMatchObject({ exitCode: 0 })
})

test('what is damaged is found, and named', async () => {
  const where = await filledInstallation()
  // So that there is a file of each partition.
  await appendSome(where, streamPerPartition(where.type, partitions))
  const folder = testFolder()
  const annals = annalsOf(where)
  await annals(['backup', folder])
  await appendSome(where, freshStreams(where.type, 9))
  await annals(['backup', folder])
  const [first = '', second = ''] = backupsIn(folder)
  const [flipped = '', cut = '', gone = ''] = filesIn(folder, first)
  const damaged = async (...named: string[]) => {
    const end = await cliHere({})(['backup', 'check', folder])
    expect(end.exitCode).toBe(1)
    for (const name of named) expect(end.stdout).toContain(name)
    return end.stdout
  }
  const bytes = readFileSync(flipped)
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
  writeFileSync(flipped, bytes)
  await damaged(`${flipped} is damaged: its checksum`, '1 findings')
  truncateSync(cut, readFileSync(cut).length - 10)
  await damaged(`${cut} has`, 'it is truncated')
  rmSync(gone)
  await damaged(`${gone} is missing`, '3 findings')
  const manifest = join(folder, second, 'manifest.json')
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"events": 45', '"events": 44'))
  await damaged(`${manifest} is damaged: it does not match its checksum in SHA256SUMS`)
  const restored = await annals(['restore', folder, '--at', first])
  expect(restored).toMatchObject({ exitCode: 1, stdout: '' })
  expect(restored.stderr).toContain(flipped)
  expect(restored.stderr).toContain('(and 2 more findings')
  const refused = await annals(['backup', folder])
  expect(refused.stderr).toContain('start a new one with --full')
  rmSync(join(folder, first), { recursive: true })
  rmSync(manifest)
  await damaged(`${manifest} is missing`)
})

test('old chains go only when a newer one holds all that they hold', async () => {
  const where = await filledInstallation(6)
  const folder = testFolder()
  const annals = annalsOf(where)
  const more = () => appendSome(where, freshStreams(where.type, 1), 1)
  await annals(['backup', folder])
  await more()
  await annals(['backup', folder, '--full-every', '1'])
  await more()
  expect((await annals(['backup', folder, '--full-every', '1', '--json'])).json()).toMatchObject({
    kind: 'full',
  })
  const [first, second, third = ''] = backupsIn(folder)
  await annals(['backup', folder, '--keep', '2'])
  await annals(['backup', folder, '--keep-days', '1'])
  await annals(['backup', folder, '--keep', '1', '--keep-days', '1'])
  expect(backupsIn(folder)).toEqual([first, second, third])

  const [file = ''] = filesIn(folder, third)
  const bytes = readFileSync(file)
  writeFileSync(file, 'damaged')
  const damaged = await annals(['backup', folder, '--keep', '1'])
  expect(damaged.stdout).toContain('Not removed: older chains are kept because the newest one is damaged')
  expect(backupsIn(folder)).toHaveLength(3)
  writeFileSync(file, bytes)
  const kept = await annals(['backup', folder, '--keep', '1', '--json'])
  expect(kept.json()).toMatchObject({ status: 'nothing-new', removed: [first], kept: [] })
  expect(backupsIn(folder)).toEqual([third])

  const { cluster } = await openDirectBackends(where)
  await new Topics(cluster).delete(eventTopic(where.type))
  await more()
  const other = await annals(['backup', folder, '--full', '--keep', '1'])
  expect(other.stdout).toContain(
    `the chain of ${third} is kept: ${eventTopic(where.type)} was recreated after it`,
  )
  expect(backupsIn(folder)).toContain(third)
})

test.each([
  ['events', ['--every-events', '10']],
  ['bytes', ['--every-bytes', '1KiB']],
])('watching makes a backup at once, and whenever enough %s have come', async (_, due) => {
  const where = await filledInstallation(4)
  const folder = testFolder()
  const args = ['backup', folder, '--watch', ...due, '--json']
  const watching = startCli(where.env, args)
  onTestFinished(() => void watching.process.kill('SIGKILL'))
  const made = (count: number) =>
    waitFor('a backup', () => Promise.resolve(backupsIn(folder).length >= count), { timeoutMs: 30_000 })
  // In one append each: of several some might be there when the watcher looks, and the others be due once more.
  await made(1)
  await appendSome(where, freshStreams(where.type, 1), 15)
  await made(2)
  await appendSome(where, freshStreams(where.type, 1), 15)
  await made(3)
  watching.process.kill('SIGTERM')
  const end = await watching.ended
  expect(end).toMatchObject({ exitCode: 0 })
  const lines = end.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Json)
  expect(lines.filter(({ status }) => status === 'made').map(({ kind }) => kind)).toEqual([
    'full',
    'incremental',
    'incremental',
  ])
  expect(lines.at(-1)).toEqual({ status: 'ended' })
  expect(await annalsOf(where)(['backup', 'check', folder])).toMatchObject({ exitCode: 0 })
})

test('what others put into the folder stays, and so do their names', async () => {
  const where = await filledInstallation(2)
  const folder = testFolder()
  mkdirSync(join(folder, 'mine.partial'))
  writeFileSync(join(folder, 'README'), 'mine')
  await annalsOf(where)(['backup', folder, '--keep', '1'])
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(['mine.partial', 'README']))
})

test('events that were deleted before they were backed up are reported as a gap', async () => {
  const where = await filledInstallation(6)
  const folder = testFolder()
  const annals = annalsOf(where)
  await annals(['backup', folder])
  await appendSome(where, freshStreams(where.type, 9))
  await deleteRecords(where, 0)
  const gap = await annals(['backup', folder])
  expect(gap).toMatchObject({ exitCode: 1, stdout: '' })
  expect(gap.stderr).toMatch(/partition 0 of \S+ starts at offset \d+ now, but was backed up to \d+ only/)
  const full = await annals(['backup', folder, '--full', '--keep', '1'])
  expect(full.stderr).toContain('older events are lost, and new backups do not contain them')
  expect(full.stdout).toContain('is kept: the newest chain does not cover all offsets of')
  expect(backupsIn(folder)).toHaveLength(2)
})

/** Deletes all that a partition has. */
async function deleteRecords({ env, type }: Installation, partition: number): Promise<void> {
  const admin = new Kafka({ brokers: (env['ANNALS_KAFKA_BROKERS'] ?? '').split(',') }).admin()
  await admin.connect()
  // It asks where partitions are only for topics that it has met.
  await admin.fetchTopicOffsets(eventTopic(type))
  await admin.deleteTopicRecords({ topic: eventTopic(type), partitions: [{ partition, offset: '-1' }] })
  await admin.disconnect()
}
