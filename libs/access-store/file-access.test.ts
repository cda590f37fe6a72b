import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { emptyAccess } from '#access'

import { FileAccess } from './file-access.ts'
import { FileAccessEditor } from './file-access-editor.ts'
import { accessStoreContract } from './testing/access-store.contract.ts'
import { keyEntry, putKey, putRole } from './testing/entries.ts'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'annals-access-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

const newPath = async (): Promise<string> => join(await folder(), 'access.json')

accessStoreContract('file', async () => {
  const path = await newPath()
  let before = ''
  return {
    source: () => new FileAccess(path),
    editor: () => new FileAccessEditor(path),
    damage: async () => {
      before = await readFile(path, 'utf8')
      await writeFile(path, before.slice(1))
    },
    repair: () => writeFile(path, before),
  }
})

async function following(path: string): Promise<FileAccess> {
  const source = new FileAccess(path, 20)
  onTestFinished(() => source.stop())
  await source.start()
  return source
}

test('a new file is readable by its owner only, and nothing else is left in its folder', async () => {
  const path = await newPath()
  await new FileAccessEditor(path).edit(() => [putRole('clerk')])
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(join(path, '..'))).toEqual(['access.json'])
})

test('a link stays a link when its file is edited', async () => {
  const path = await newPath()
  await new FileAccessEditor(path).edit(() => [putRole('clerk')])
  const link = `${path}.link`
  await symlink(path, link)
  await new FileAccessEditor(link).edit(() => [putRole('chief')])
  expect(Object.keys((await new FileAccessEditor(path).read()).roles)).toEqual(['clerk', 'chief'])
})

test.each([
  ['it is readable by the group', (path: string) => chmod(path, 0o640), /mode 0640.*run chmod 600 /],
  ['it is writable by others', (path: string) => chmod(path, 0o602), /mode 0602.*run chmod 600 /],
  ['it is gone', (path: string) => rm(path), /does not exist.*access key create/],
  [
    'it is a folder',
    async (path: string) => {
      await rm(path)
      await mkdir(path)
    },
    /not a regular file/,
  ],
  ['it is empty', (path: string) => writeFile(path, ''), /not JSON/],
  ['it has an unknown field', (path: string) => writeFile(path, '{"role":{}}'), /did you mean roles/],
  [
    'it has an unknown role',
    (path: string) => writeFile(path, unknownRole),
    /no role "clerc"; did you mean clerk/,
  ],
  ['it has a cycle', (path: string) => writeFile(path, cycle), /includes itself/],
])('a file is not read if %s, and the last state stays in force', async (_, harm, reason) => {
  const path = await newPath()
  const key = keyEntry()
  await new FileAccessEditor(path).edit(() => [putKey(key)])
  const source = await following(path)
  await harm(path)
  await expect
    .poll(() => source.state)
    .toMatchObject({
      status: 'stale',
      source: `file ${path}`,
      reason: expect.stringMatching(reason) as string,
    })
  expect(source.current).toEqual({ ...emptyAccess, keys: [key] })
  expect(Date.now() - source.state.sinceMs).toBeLessThan(60_000)
  const late = await following(path)
  expect(late.current).toBeUndefined()
  expect(late.state).toMatchObject({ status: 'unread', reason: expect.stringMatching(reason) as string })
  if (reason.source.includes('chmod')) {
    await chmod(path, 0o600)
    await expect.poll(() => late.state.status).toBe('current')
  }
})

const clerk = { rules: [] }
const unknownRole = JSON.stringify({
  roles: { clerk },
  certificates: [{ commonName: 'c', name: 'c', roles: ['clerc'] }],
})
const cycle = JSON.stringify({
  roles: { a: { includes: ['b'], rules: [] }, b: { includes: ['a'], rules: [] } },
})

test('the command that corrects the mode can be copied, whatever the name of the file', async () => {
  const path = join(await folder(), "it's access.json")
  await writeFile(path, '{}', { mode: 0o644 })
  await expect(new FileAccessEditor(path).read()).rejects.toMatchObject({
    code: 'file-unsafe',
    message: expect.stringContaining(String.raw`it'\''s access.json'`) as string,
  })
})

test('a change of the same length right after the one before is noticed', async () => {
  const path = await newPath()
  await writeFile(path, '{"roles":{"a":{"rules":[]}}}', { mode: 0o600 })
  const source = await following(path)
  expect(Object.keys(source.current?.roles ?? {})).toEqual(['a'])
  await writeFile(path, '{"roles":{"b":{"rules":[]}}}')
  await expect.poll(() => Object.keys(source.current?.roles ?? {})).toEqual(['b'])
})

test('an editor waits for another one, and names it when it does not end', async () => {
  const path = await newPath()
  const lock = `${path}.lock`
  await writeFile(lock, 'process 4711 on host-1')
  const late = new FileAccessEditor(path, 100).edit(() => [putRole('clerk')])
  await expect(late).rejects.toMatchObject({
    code: 'file-busy',
    message: `access file ${path} is being changed by process 4711 on host-1: try again. If that process was killed, remove ${lock} first`,
  })
  const waiting = new FileAccessEditor(path).edit(() => [putRole('clerk')])
  await rm(lock)
  expect(Object.keys((await waiting).roles)).toEqual(['clerk'])
})

test('a change that a text editor makes during an edit is not lost', async () => {
  const path = await newPath()
  await new FileAccessEditor(path).edit(() => [putRole('clerk')])
  const edit = new FileAccessEditor(path).edit(() => {
    writeFileSync(path, '{"roles":{}}')
    return [putRole('chief')]
  })
  await expect(edit).rejects.toMatchObject({ code: 'file-busy' })
  expect(await readFile(path, 'utf8')).toBe('{"roles":{}}')
  expect(await readdir(join(path, '..'))).toEqual(['access.json'])
})

test('a folder that does not exist is named', async () => {
  const path = join(await folder(), randomUUID(), 'access.json')
  await expect(new FileAccessEditor(path).edit(() => [putRole('clerk')])).rejects.toMatchObject({
    code: 'file-failed',
    message: expect.stringContaining(path) as string,
  })
})
