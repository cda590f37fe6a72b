import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { beforeEach, expect, onTestFinished, test } from 'vitest'

import { BackupFolder, sha256Of } from './backup-folder.ts'
import { checkChain } from './check-backup.ts'
import { backupId, checksumsName, type Manifest, manifestName, manifestText } from './manifest.ts'
import { removeOld } from './retention.ts'

const topic = 'eventstore.order'
const dayMs = 86_400_000
let path: string
let folder: BackupFolder
beforeEach(async () => {
  path = mkdtempSync(join(tmpdir(), 'annals-check-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  folder = await BackupFolder.open(path)
})

interface Made {
  readonly id: string
  readonly sha256: string
}

interface Span {
  readonly from: number
  readonly until: number
  readonly topicId?: string
}

/** Writes a backup without events. */
function put(day: number, { from, until, topicId = 'T' }: Span, previous?: Made): Made {
  const startedAt = new Date(day * dayMs)
  const kind = previous === undefined ? 'full' : 'incremental'
  const id = backupId(kind, startedAt)
  const ranges = [{ partition: 0, from, until, events: 0, files: [] }]
  const manifest: Manifest = {
    ...{ format: 'annals-backup', formatVersion: 1, id, kind, clusterId: 'C' },
    ...(previous !== undefined && { previous: { id: previous.id, sha256: previous.sha256 } }),
    ...{ startedAt: startedAt.toISOString(), finishedAt: startedAt.toISOString() },
    topics: [{ name: topic, role: 'events', topicId, partitions: 1, replication: 1, settings: {}, ranges }],
    ...{ schemas: [], unknownSchemaIds: [], configuration: {}, events: 0, bytes: 0 },
  }
  return write(id, manifest)
}

function write(id: string, manifest: object): Made {
  const text = manifestText(manifest as Manifest)
  const sha256 = sha256Of(text)
  mkdirSync(join(path, id), { recursive: true })
  writeFileSync(join(path, id, manifestName), text)
  writeFileSync(join(path, id, checksumsName), `${sha256}  ${manifestName}\n`)
  return { id, sha256 }
}

const found = async (): Promise<string[]> => {
  const options = { readsRecords: true, advance: () => undefined, signal: new AbortController().signal }
  const findings = await Promise.all((await folder.chains()).map((ids) => checkChain(folder, ids, options)))
  return findings.flat().map(({ message }) => message)
}

test('a chain whose backups continue each other is sound', async () => {
  const first = put(1, { from: 0, until: 10 })
  put(3, { from: 15, until: 20 }, put(2, { from: 10, until: 15 }, first))
  put(4, { from: 0, until: 20 })
  expect(await found()).toEqual([])
  expect((await folder.chains()).map((ids) => ids.length)).toEqual([3, 1])
})

test('the backup after a missing one reports it', async () => {
  const first = put(1, { from: 0, until: 10 })
  const second = put(2, { from: 10, until: 15 }, first)
  const third = put(3, { from: 15, until: 20 }, second)
  rmSync(join(path, second.id), { recursive: true })
  expect(await found()).toEqual([
    `${join(path, third.id)} continues ${second.id}, but the backup before it is ${first.id}, or a different one with that id`,
  ])
  rmSync(join(path, first.id), { recursive: true })
  expect(await found()).toEqual([`${join(path, third.id)} continues ${second.id}, but that is missing`])
})

test('a backup that replaced another one is reported', async () => {
  const first = put(1, { from: 0, until: 10 })
  put(2, { from: 10, until: 15 }, first)
  put(1, { from: 0, until: 10, topicId: 'U' })
  expect(await found()).toEqual([expect.stringContaining('or a different one with that id')])
})

test.each<[string, Span, string]>([
  [
    'missing offsets',
    { from: 11, until: 15 },
    'it starts at offset 11, but the backup before it ended at 10',
  ],
  ['duplicate offsets', { from: 9, until: 15 }, 'it starts at offset 9'],
  [
    'another topic',
    { from: 10, until: 15, topicId: 'U' },
    'its topic is not the topic of the backup before it',
  ],
])('%s between two backups: a finding', async (_, span, message) => {
  put(2, span, put(1, { from: 0, until: 10 }))
  expect(await found()).toEqual([expect.stringContaining(`partition 0 of ${topic}: ${message}`)])
})

test('a renamed folder, a later format and an invalid manifest are reported', async () => {
  const { id } = put(1, { from: 0, until: 10 })
  renameSync(join(path, id), join(path, backupId('full', new Date(0))))
  expect(await found()).toEqual([expect.stringContaining('the folder was renamed')])
  rmSync(path, { recursive: true })
  write(id, { format: 'annals-backup', formatVersion: 2 })
  expect(await found()).toEqual([
    expect.stringContaining('has format version 2, this version of Annals supports 1'),
  ])
  write(id, { format: 'annals-backup', formatVersion: 1, id: '../..' })
  expect(await found()).toEqual([expect.stringContaining('is not the manifest of a backup')])
})

test('a path that leads out of the backup makes the manifest invalid', async () => {
  const { id } = put(1, { from: 0, until: 10 })
  const { manifest } = await folder.read(id)
  const file = {
    path: '../../etc/passwd',
    events: 1,
    firstOffset: 0,
    lastOffset: 0,
    bytes: 1,
    sha256: sha256Of(''),
  }
  const ranges = [{ partition: 0, from: 0, until: 10, events: 1, files: [file] }]
  write(id, { ...manifest, topics: manifest.topics.map((each) => ({ ...each, ranges })) })
  expect(await found()).toEqual([expect.stringContaining('is not the manifest of a backup')])
})

test.each<[string, Parameters<typeof removeOld>[1], number]>([
  ['nothing', {}, 4],
  ['two chains', { chains: 2 }, 2],
  ['so many days', { days: 3 }, 3],
  ['both', { days: 1, chains: 3 }, 3],
  ['the newest only', { chains: 1 }, 1],
])('chains kept by %s stay', async (_, retention, left) => {
  for (const day of [1, 2, 3, 4]) put(day, { from: 0, until: day })
  const { kept } = await removeOld(folder, retention, 4.5 * dayMs)
  expect(kept).toEqual([])
  expect(await folder.chains()).toHaveLength(left)
})

test.each<[string, Span, string]>([
  ['fewer events', { from: 0, until: 9 }, `the newest chain does not cover all offsets of ${topic}`],
  ['a later start', { from: 1, until: 12 }, `the newest chain does not cover all offsets of ${topic}`],
  ['another topic', { from: 0, until: 12, topicId: 'U' }, `${topic} was recreated after it`],
])('a chain stays for as long as the newest has %s', async (_, span, why) => {
  put(1, { from: 0, until: 10 })
  put(2, span)
  const { removed, kept } = await removeOld(folder, { chains: 1 })
  expect(removed).toEqual([])
  expect(kept).toEqual([expect.stringContaining(why)])
  expect(await folder.chains()).toHaveLength(2)
})
