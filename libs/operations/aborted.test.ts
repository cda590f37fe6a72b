import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'

import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'

import { loadConfig } from '#config'
import { defineDomain } from '#domain'

import { checkBackups } from './backup/check-backups.ts'
import { runRestore } from './backup/restore/run-restore.ts'
import { runBackup } from './backup/run-backup.ts'
import { examine } from './doctor/examine.ts'
import { runExport } from './export/run-export.ts'
import { rollback } from './import/rollback.ts'
import { runImport } from './import/run-import.ts'
import { inferSchemas } from './infer/infer-schemas.ts'
import { runReplay } from './replay/run-replay.ts'

const line = '{"streamId":"customer.1","type":"PurchaseMade","data":{"cds":1}}\n'
const config = loadConfig({ ANNALS_DOMAIN: 'examples/customers/domain.ts' })
const domain = defineDomain({})
const control = { signal: AbortSignal.abort() }
/** A server that a job with an aborted signal must not use. */
const unused = vi.fn(() => Promise.reject(new Error('a job used a server after its signal had aborted')))
/** Reading is harmless: a read that begins is given up. */
const endless = () => new Promise<never>(() => undefined)

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'annals-aborted-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  file = join(folder, 'events.ndjson')
  writeFileSync(file, line)
  writeFileSync(join(folder, 'report.ndjson'), line)
})

const from = () => ({ file, source: 'events', renamed: new Map<string, string>(), schemaVersions: versions })
const versions = { byType: new Map<string, number>() }

const jobs: Readonly<Record<string, () => Promise<object>>> = {
  'a backup': () =>
    runBackup(
      { domain, openLog: unused },
      { folder: join(folder, 'backups'), types: [], isFull: false },
      control,
    ),
  'the check of backups': () => checkBackups({ folder }, control),
  'a restore': () => runRestore({ openLog: unused }, { folder, point: {}, isDryRun: false }, control),
  'a replay': () =>
    runReplay(
      { config, lines: new PassThrough() },
      {
        ...{ aggregateType: 'customer', filter: {}, dryRun: false, parallel: 1, timeoutMs: 1_000 },
        bounds: { partitions: [], fromOffsets: new Map(), untilOffsets: new Map() },
        destination: { kind: 'file', path: file, format: 'ndjson' },
        ...{ skipUnreadable: false, resume: false, overwrite: true },
      },
      control,
    ),
  'an import': () =>
    runImport(
      { append: unused, read: unused },
      {
        ...{ from: from(), check: undefined, isDryRun: false, batch: 1, errorsMax: 1 },
        report: join(folder, 'report.ndjson'),
        checkpoint: join(folder, 'checkpoint'),
      },
      control,
    ),
  'the rollback of an import': () =>
    rollback(
      { append: unused, readCategory: endless },
      { importId: 'i', aggregateType: 'customer', event: { type: 'Voided', data: {} }, isDryRun: false },
      control,
    ),
  'an export': () =>
    runExport(
      { store: { info: unused, read: unused, readCategory: unused }, lines: new PassThrough() },
      {
        ...{ scope: { aggregateType: 'customer' }, from: undefined, until: undefined, types: [] },
        ...{ mapping: undefined, file: join(folder, 'export.ndjson'), isOverwriting: true },
      },
      control,
    ),
  'the inference of schemas': () =>
    inferSchemas({ from: from(), aggregateType: 'customer', folder, isWriting: true }, control),
  doctor: () => examine(config, control),
}

const contents = () => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')])

test.each(Object.entries(jobs))('%s that is aborted before it begins writes nothing', async (_, job) => {
  const before = contents()
  expect(await job()).toMatchObject({ status: 'interrupted' })
  expect(contents()).toEqual(before)
  expect(unused).not.toHaveBeenCalled()
})
