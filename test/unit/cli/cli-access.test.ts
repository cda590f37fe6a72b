import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { cliHere } from '../../support/cli/cli-here.ts'
import type { RunCli } from '../../support/cli/cli.ts'

interface Access {
  readonly annals: RunCli
  readonly file: string
  /** Writes a file beside the access file. */
  readonly written: (name: string, content: object) => Promise<string>
}

/** All that a change prints beside its result. */
const notRecorded = /^warning: the audit trail could not be written: [^\n]*\n$/

async function accessFile(): Promise<Access> {
  const folder = await mkdtemp(join(tmpdir(), 'annals-cli-access-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'access.json')
  const env = {
    ANNALS_ACCESS: 'file',
    ANNALS_ACCESS_FILE: file,
    ANNALS_PEER_SECRET: 'a secret of at least thirty-two characters',
    // Nothing listens there, so each change warns that the audit trail could not be written.
    ANNALS_KAFKA_BROKERS: '127.0.0.1:1',
  }
  const written = async (name: string, content: object) => {
    await writeFile(join(folder, name), JSON.stringify(content))
    return join(folder, name)
  }
  return { annals: cliHere(env), file, written }
}

type Keys = {
  readonly keys: readonly { readonly id: string; readonly status: string; readonly expiresAt?: string }[]
}

const listed = async (annals: RunCli): Promise<Keys['keys']> =>
  ((await annals(['access', 'key', 'list', '--json'])).json() as unknown as Keys).keys

const firstId = async (annals: RunCli): Promise<string> => (await listed(annals))[0]?.id ?? ''

const clerk = { description: 'Sells.', rules: [{ actions: ['append', 'read'], on: ['order.eu-*'] }] }

test('a key is printed once, alone on standard output, and only its hash is stored', async () => {
  const { annals, file } = await accessFile()
  const created = await annals(['access', 'key', 'create', 'shop', '--role', 'service', '--expires', '90d'])
  expect(created.exitCode).toBe(0)
  const [, id = '', secret = ''] = /^annals_([a-z2-7]{16})_([\w-]{43})\n$/.exec(created.stdout) ?? []
  expect(created.stderr).toContain(`key ${id} of shop with service; it expires at `)
  expect(created.stderr).toContain('it is not shown again')
  expect(created.stderr).not.toContain(secret)
  expect(await readFile(file, 'utf8')).not.toContain(secret)

  const list = await annals(['access', 'key', 'list'])
  expect(list).toMatchObject({ exitCode: 0, stderr: '' })
  expect(list.stdout).toMatch(/^id +name +roles +created +expires +status\n/)
  expect(list.stdout).toMatch(new RegExp(`\n${id} +shop +service +\\S+Z +\\S+Z +valid\n$`))
  const [entry] = await listed(annals)
  expect(Object.keys(entry ?? {})).toEqual(['id', 'name', 'roles', 'createdAt', 'expiresAt', 'status'])
})

test('with --json the key is in the document, and nothing is beside it', async () => {
  const { annals } = await accessFile()
  const created = await annals([
    'access',
    'key',
    'create',
    'a',
    '--role',
    'reader',
    '--role',
    'operator',
    '--json',
  ])
  expect(created.stderr).toMatch(notRecorded)
  expect(created.json()).toMatchObject({
    name: 'a',
    roles: ['reader', 'operator'],
    status: 'valid',
    key: expect.stringMatching(/^annals_/) as string,
  })
})

test('a rotated key and its successor are valid until the overlap is over', async () => {
  const { annals } = await accessFile()
  await annals(['access', 'key', 'create', 'shop', '--role', 'service'])
  const id = await firstId(annals)
  const rotated = await annals(['access', 'key', 'rotate', id, '--overlap', '2h'])
  expect(rotated).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^annals_\S+\n$/) as string })
  expect(rotated.stderr).toContain(`Key ${id} expires at `)
  const [old, made] = await listed(annals)
  expect([old?.id, old?.status, made?.status]).toEqual([id, 'valid', 'valid'])
  const endsInMs = Date.parse(old?.expiresAt ?? '') - Date.now()
  expect(endsInMs).toBeGreaterThan(3_600_000)
  expect(endsInMs).toBeLessThanOrEqual(7_200_000)
  expect(made).not.toHaveProperty('expiresAt')
  const json = await annals(['access', 'key', 'rotate', made?.id ?? '', '--json'])
  expect(json.json()).toMatchObject({ name: 'shop', replaced: { id: made?.id } })
})

test('a key is revoked once, and can then be removed', async () => {
  const { annals } = await accessFile()
  await annals(['access', 'key', 'create', 'shop', '--role', 'service'])
  const id = await firstId(annals)
  expect((await annals(['access', 'key', 'revoke', id])).stderr).toContain('add --yes to confirm')
  const early = await annals(['access', 'key', 'remove', id, '--yes'])
  expect(early).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringContaining('revoke it first') as string,
  })
  expect(await annals(['access', 'key', 'revoke', id, '--yes'])).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(notRecorded) as string,
  })
  expect((await listed(annals))[0]?.status).toBe('revoked')
  for (const again of [
    ['revoke', id, '--yes'],
    ['rotate', id],
  ]) {
    const refused = await annals(['access', 'key', ...again, '--json'])
    expect(refused.json()).toMatchObject({ error: { code: 'key-ended', exitCode: 1 } })
  }
  expect(await annals(['access', 'key', 'remove', id, '--yes'])).toMatchObject({ exitCode: 0 })
  expect(await listed(annals)).toEqual([])
  const unknown = await annals(['access', 'key', 'revoke', 'nobody', '--yes', '--json'])
  expect(unknown.json()).toMatchObject({ error: { code: 'no-key', exitCode: 1 } })
})

test('roles are put, replaced, listed with the built-in ones, explained, and not removed while in use', async () => {
  const { annals, written } = await accessFile()
  const file = await written('clerk.json', clerk)
  expect((await annals(['access', 'role', 'put', 'clerk', file])).stdout).toBe('Created role clerk\n')
  expect((await annals(['access', 'role', 'put', 'clerk', file, '--json'])).json()).toEqual({
    name: 'clerk',
    created: false,
  })
  const list = await annals(['access', 'role', 'list'])
  expect(list.stdout).toMatch(/\nadmin \(built in\) +append, /)
  expect(list.stdout).toMatch(/\nclerk +append, read on order.eu-\* +Sells.\n$/)

  const explain = (...args: string[]) => annals(['access', 'explain', '--role', 'clerk', ...args])
  expect(await explain('append', 'order.eu-1')).toMatchObject({
    exitCode: 0,
    stdout: 'allowed: role clerk grants append on order.eu-*\n',
  })
  expect(await explain('append', 'order.us-1')).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/^denied: no role of clerk grants append on order.us-1\n$/) as string,
  })
  expect((await explain('read', 'order.*')).stdout).toMatch(
    /^denied: .*\nfor some of them: role clerk grants/,
  )
  expect((await explain('read', 'order.*', '--json')).json()).toMatchObject({
    allowed: false,
    resource: 'order.*',
  })

  await annals(['access', 'key', 'create', 'till', '--role', 'clerk'])
  await annals(['access', 'certificate', 'put', 'till.example.com', '--name', 'till', '--role', 'clerk'])
  const refused = await annals(['access', 'role', 'remove', 'clerk', '--yes'])
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
  expect(refused.stderr).toMatch(
    /belongs to key [a-z2-7]{16} \(till\), certificate till.example.com: change or remove/,
  )
  await annals(['access', 'certificate', 'remove', 'till.example.com', '--yes'])
  const id = await firstId(annals)
  await annals(['access', 'key', 'revoke', id, '--yes'])
  await annals(['access', 'key', 'remove', id, '--yes'])
  expect((await annals(['access', 'role', 'remove', 'clerk', '--yes'])).stdout).toBe('Removed role clerk\n')
  expect((await annals(['access', 'role', 'remove', 'clerk', '--yes'])).exitCode).toBe(1)
  expect((await annals(['access', 'role', 'remove', 'admin', '--yes'])).stderr).toContain('built in')
})

test('certificates are put, replaced, listed and removed', async () => {
  const { annals } = await accessFile()
  const put = (...roles: string[]) =>
    annals([
      ...['access', 'certificate', 'put', 'web 1', '--name', 'web'],
      ...roles.flatMap((role) => ['--role', role]),
    ])
  expect((await put('reader')).stdout).toBe(
    'Added certificate web 1: it is web with reader, within 5 seconds\n',
  )
  expect((await put('reader', 'operator')).stdout).toContain('Replaced certificate web 1')
  expect((await annals(['access', 'certificate', 'list', '--json'])).json()).toEqual({
    certificates: [{ commonName: 'web 1', name: 'web', roles: ['reader', 'operator'] }],
  })
  expect((await annals(['access', 'certificate', 'remove', 'web 1', '--yes'])).exitCode).toBe(0)
  expect(
    (await annals(['access', 'certificate', 'remove', 'web 1', '--yes', '--json'])).json(),
  ).toMatchObject({
    error: { code: 'no-certificate' },
  })
})

test.each<[string, readonly string[], RegExp]>([
  ['an unknown role', ['key', 'create', 'shop', '--role', 'servise'], /did you mean service/],
  ['a key without a role', ['key', 'create', 'shop'], /--role/],
  ['a name with white space', ['key', 'create', 'the shop', '--role', 'service'], /principal/],
  ['a time that is none', ['key', 'create', 'shop', '--role', 'service', '--expires', '90'], /no unit/],
  ['an unknown action', ['explain', '--role', 'reader', 'reed', 'order.42'], /did you mean read/],
  ['an unknown role to explain', ['explain', '--role', 'readr', 'read', 'order.42'], /did you mean reader/],
  ['a malformed resource', ['explain', '--role', 'reader', 'read', 'order'], /order\.42, order\.\*/],
  ['a file that is not there', ['role', 'put', 'clerk', '/nowhere.json'], /nowhere.json cannot be read/],
  ['a file to check that is not there', ['check', '/nowhere.json'], /no file \/nowhere.json/],
])('%s is invalid usage, and changes nothing', async (_, args, message) => {
  const { annals, file } = await accessFile()
  const end = await annals(['access', ...args])
  expect(end).toMatchObject({ exitCode: 2, stdout: '' })
  expect(end.stderr).toMatch(message)
  await expect(readFile(file)).rejects.toThrow('ENOENT')
})

test.each<[string, object, RegExp]>([
  ['a typo', { rules: [{ actions: ['append'], no: ['order.*'] }] }, /rules\[0\].no: there is no such field/],
  ['a cycle', { includes: ['clerk'], rules: [] }, /includes itself/],
  ['an unknown role', { includes: ['chief'], rules: [] }, /there is no role "chief"/],
])('a role with %s is rejected with its place', async (_, role, message) => {
  const { annals, written } = await accessFile()
  await annals(['access', 'role', 'put', 'clerk', await written('clerk.json', clerk)])
  const end = await annals(['access', 'role', 'put', 'clerk', await written('bad.json', role)])
  expect(end).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(message) as string })
  expect((await annals(['access', 'role', 'list'])).stdout).toContain('Sells.')
})

test('check tells what is wrong with a file, and counts what is in a valid one', async () => {
  const { annals, file } = await accessFile()
  await annals(['access', 'key', 'create', 'shop', '--role', 'service'])
  expect((await annals(['access', 'check', file])).stdout).toBe(
    `${file} is valid: 0 roles, 1 keys, 0 certificates\n`,
  )
  await chmod(file, 0o644)
  const open = await annals(['access', 'check', file, '--json'])
  expect(open.json()).toMatchObject({ error: { code: 'access-file-unsafe', exitCode: 1 } })
  expect(open.stderr).toContain(`chmod 600 ${file}`)
  await chmod(file, 0o600)
  await writeFile(file, '{"keys": [{}]}')
  const broken = await annals(['access', 'check', file, '--json'])
  expect(broken.json()).toMatchObject({ error: { code: 'access-file-invalid', exitCode: 1 } })
  expect((await annals(['access', 'key', 'create', 'shop', '--role', 'service'])).exitCode).toBe(1)
  expect(await readFile(file, 'utf8')).toBe('{"keys": [{}]}')
})

test.each([{}, { ANNALS_ACCESS: 'open' }])(
  'without access control (%o) the commands say how to begin',
  async (env) => {
    const end = await cliHere(env)(['access', 'key', 'list', '--json'])
    expect(end.json()).toMatchObject({ error: { code: 'access-open', exitCode: 2 } })
    expect(end.stderr).toContain('set ANNALS_ACCESS=topic')
  },
)
