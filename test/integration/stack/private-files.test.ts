import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { AnnalsClient } from '#client'

import {
  appendSome,
  backupsIn,
  filledInstallation,
  freshStreams,
  testFolder,
} from '../../support/operations/backup-source.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import { openToOthers } from '../../support/operations/open-to-others.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import {
  freshStream,
  purchase,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

let before: number
beforeAll(() => {
  // The common default: files readable by everyone unless the program restricts them.
  before = process.umask(0o022)
})
afterAll(() => process.umask(before))

const done = async (where: Installation, ...args: string[]): Promise<void> => {
  const { exitCode, stderr } = await cliHere(where.env)(args)
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' })
}

test('backups are readable only by their user, including those of an older version', async () => {
  const where = await filledInstallation()
  const folder = join(testFolder(), 'made', 'here')
  await done(where, 'backup', folder)
  expect(openToOthers(folder)).toEqual([])
  const [full = ''] = backupsIn(folder)
  for (const name of ['', 'manifest.json', 'SHA256SUMS']) {
    chmodSync(join(folder, full, name), name === '' ? 0o755 : 0o644)
  }
  chmodSync(folder, 0o750)
  expect(await cliHere({})(['backup', 'check', folder])).toMatchObject({ exitCode: 0 })
  await appendSome(where, freshStreams(where.type, 2), 4)
  await done(where, 'backup', folder)
  expect(backupsIn(folder)).toHaveLength(2)
  // The owner of the backup folder decides who may list it.
  expect(openToOthers(folder)).toEqual([`${folder} 750`])
})

test('files of commands and services with events, schemas and progress are readable only by their user', async () => {
  const folder = testFolder()
  const idFile = join(folder, 'ids', 'schemas.json')
  const where = testInstallation({ ANNALS_REGISTRY_ID_FILE: idFile })
  const { url } = await runningWriter(where)
  const env = { ...where, env: { ...where.env, ANNALS_URL: url } }
  const client = new AnnalsClient({ url })
  const streamId = freshStream(where.type)
  await client.append(streamId, [purchase()])
  await client.close()
  const path = (name: string) => join(folder, name)
  await done(env, 'export', where.type, '--output', path('events.ndjson'))
  const line = { streamId: freshStream(where.type), ...purchase() }
  writeFileSync(path('in.ndjson'), `${JSON.stringify(line)}\n`, { mode: 0o600 })
  const kept = ['--checkpoint', path('import.checkpoint'), '--report', path('report.ndjson')]
  await done(env, 'import', path('in.ndjson'), ...kept)
  await done(env, 'replay', where.type, '--to-file', path('replay.ndjson'))
  chmodSync(folder, 0o700)
  expect(openToOthers(folder)).toEqual([])
})
