import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'

import { beforeEach, expect, onTestFinished, test } from 'vitest'

import type { StoredRecord } from '#kafka'

import { sha256Of } from './backup-folder.ts'
import type { BackedUpFile } from './manifest.ts'
import { faultOf, readRecords, RecordFiles } from './record-files.ts'

const topic = 'eventstore.order'
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'annals-record-files-'))
  mkdirSync(join(folder, topic))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
})

const records = (count: number, from = 0): StoredRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    offset: from + 2 * index,
    key: Buffer.from(`order.${index}`),
    value: Buffer.from([0, 1, 2, index % 256]),
    headers: [['ce_type', Buffer.from('Placed')]],
    timestampMs: 1_700_000_000_000 + index,
  }))

async function writeAll(
  pieces: readonly StoredRecord[][],
  rawBytesMax?: number,
): Promise<readonly BackedUpFile[]> {
  const files = new RecordFiles(folder, topic, 3, rawBytesMax)
  for (const piece of pieces) await files.add(piece)
  return files.end()
}

const readAll = async (files: readonly BackedUpFile[]): Promise<StoredRecord[]> => {
  const pieces = await Promise.all(files.map((file) => Array.fromAsync(readRecords(folder, file))))
  return pieces.flat(2)
}

const pathOf = ({ path }: BackedUpFile): string => join(folder, path)

test('reading returns the written records, and the file is intact', async () => {
  const all = records(30_000)
  const files = await writeAll([all.slice(0, 20_000), [], all.slice(20_000)])
  expect(files).toMatchObject([
    { path: `${topic}/3-0000000000000000.ndjson.gz`, events: 30_000, firstOffset: 0, lastOffset: 59_998 },
  ])
  expect(await readAll(files)).toEqual(all)
  expect(await faultOf(folder, files[0] as BackedUpFile)).toBeUndefined()
})

test('a partition without records has no file', async () => {
  expect(await writeAll([[]])).toEqual([])
})

test('a file ends when it reaches its maximum size', async () => {
  const pieces = [0, 1, 2, 3, 4].map((piece) => records(100, piece * 1_000))
  const files = await writeAll(pieces, 20_000)
  expect(files.map(({ events }) => events)).toEqual([200, 200, 100])
  expect(files.map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset])).toEqual([
    [0, 1_198],
    [2_000, 3_198],
    [4_000, 4_198],
  ])
  expect(await readAll(files)).toEqual(pieces.flat())
})

test('every kind of damage is reported with the file', async () => {
  const [file] = (await writeAll([records(500)])) as [BackedUpFile]
  const path = pathOf(file)
  const sound = readFileSync(path)
  const faultWith = async (change: () => void): Promise<string | undefined> => {
    writeFileSync(path, sound)
    change()
    return faultOf(folder, file)
  }
  expect(await faultWith(() => truncateSync(path, sound.length - 1))).toBe(
    `${path} has ${sound.length - 1} bytes instead of ${sound.length}: it is truncated`,
  )
  expect(await faultWith(() => writeFileSync(path, Buffer.concat([sound, sound])))).toContain(
    'it is longer than what was written',
  )
  expect(await faultWith(() => writeFileSync(path, Buffer.from(sound).fill(1, 40, 41)))).toContain('damaged')
  expect(await faultWith(() => rmSync(path))).toBe(`${path} is missing`)
  await expect(readAll([file])).rejects.toThrow(`${path} is damaged`)
})

test.each<[string, (text: string) => string]>([
  ['a missing record', (text) => text.replace(/\n.*\n$/, '\n')],
  ['a truncated line', (text) => text.slice(0, -10)],
  ['a line without a newline', (text) => text.slice(0, -1)],
  ['a line that is not a record', (text) => text.replace('"offset":4,', '')],
  ['records in another order', (text) => text.replace('"offset":4,', '"offset":40,')],
  ['an offset beyond the last', (text) => text.replace('"offset":18,', '"offset":19,')],
])('%s is reported when records are read', async (_, change) => {
  const [file] = (await writeAll([records(10)])) as [BackedUpFile]
  const bytes = gzipSync(change(gunzipSync(readFileSync(pathOf(file))).toString()))
  writeFileSync(pathOf(file), bytes)
  const known = { ...file, bytes: bytes.length, sha256: sha256Of(bytes) }
  expect(await faultOf(folder, known)).toBeUndefined()
  await expect(readAll([known])).rejects.toThrow(`${pathOf(file)} is damaged`)
})

test('an abandoned file is closed, and a missing folder is an error', async () => {
  const files = new RecordFiles(folder, topic, 3)
  await files.add(records(10))
  await files.abandon()
  await files.abandon()
  rmSync(join(folder, topic), { recursive: true })
  await expect(new RecordFiles(folder, topic, 3).add(records(1))).rejects.toThrow('ENOENT')
})
