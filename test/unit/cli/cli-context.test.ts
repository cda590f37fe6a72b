import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import { clientCertificateOf } from '#http'

import { runCli } from '../../../services/cli/run-cli.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import { cliWith } from '../../support/cli/cli.ts'
import { testWriter } from '../../support/services/closing.ts'
import { CertificateAuthority, writeCertified } from '../../support/tls/certificates.ts'
import { temporaryFolder } from '../../support/tls/tls-server.ts'

const secret = 'annals_abcdefghij234567_c2VjcmV0'

let authority: CertificateAuthority
beforeAll(async () => {
  authority = await CertificateAuthority.create()
})

let folder: string
let file: string
let env: Readonly<Record<string, string>>
beforeEach(async () => {
  folder = await temporaryFolder()
  file = join(folder, 'annals', 'contexts.json')
  env = { XDG_CONFIG_HOME: folder }
})

const annals = (...args: readonly string[]) => cliHere(env)(args)

/** A writer that remembers the credentials of each request. @param files with which it speaks TLS */
async function writer(files?: { certFile: string; keyFile: string; clientCaFile?: string }) {
  const seen: { token: string | undefined; commonName: string | undefined }[] = []
  const { url } = await testWriter(new InMemoryWriter(), {
    ...(files && { tls: files }),
    prepare: (app) =>
      app.addHook('onRequest', (request, _reply, done) => {
        const certificate = clientCertificateOf(request)
        const commonName = typeof certificate === 'object' ? certificate.commonName : certificate
        seen.push({ token: request.headers.authorization, commonName })
        done()
      }),
  })
  return { url, seen }
}

/** A writer with TLS, and the files with which a client reaches it. */
async function tlsWriter() {
  const files = await writeCertified(folder, 'server', await authority.server())
  const { certFile: caFile } = await writeCertified(folder, 'ca', { cert: authority.cert, key: '' })
  const ada = await writeCertified(folder, 'ada', await authority.client('ada'))
  return { ...(await writer({ ...files, clientCaFile: caFile })), caFile, ...ada }
}

const write = async (content: object | string, mode = 0o600): Promise<void> => {
  await mkdir(join(folder, 'annals'), { recursive: true })
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  await chmod(file, mode)
}

describe('variables', () => {
  test('name the token, the authority and the client certificate', async () => {
    const { url, seen, caFile, certFile, keyFile } = await tlsWriter()
    env = {
      ANNALS_URL: url,
      ANNALS_TOKEN: `${secret}\n`,
      ANNALS_CA_FILE: caFile,
      ANNALS_CLIENT_CERT_FILE: certFile,
      ANNALS_CLIENT_KEY_FILE: keyFile,
    }
    expect(await annals('owners')).toMatchObject({ exitCode: 0 })
    expect(seen).toEqual([{ token: `Bearer ${secret}`, commonName: 'ada' }])
  })

  test('a server of an unknown authority is refused, with advice', async () => {
    const { url } = await tlsWriter()
    env = { ANNALS_URL: url, ANNALS_TOKEN: secret }
    const end = await annals('owners')
    expect(end).toMatchObject({ exitCode: 3 })
    expect(end.stderr).toContain('ANNALS_CA_FILE')
    expect(end.stderr).not.toContain('Is it running?')
    expect(end.stderr).not.toContain(secret)
  })

  test.each([
    [{ ANNALS_CA_FILE: '/none' }, /ANNALS_CA_FILE \/none cannot be read: ENOENT/],
    [
      { ANNALS_CLIENT_CERT_FILE: '/none' },
      /only one of ANNALS_CLIENT_CERT_FILE and ANNALS_CLIENT_KEY_FILE is set/,
    ],
    [{ ANNALS_TOKEN: ' ' }, /ANNALS_TOKEN is empty/],
    [{ ANNALS_TOKEN: 'two words' }, /token is empty, or contains white space/],
    [
      { ANNALS_TOKEN: secret, ANNALS_URL: 'http://writer-1:7400' },
      /must not be sent to http:\/\/writer-1:7400/,
    ],
    [{ ANNALS_CONTEXT: 'prod', ANNALS_URL: 'https://a' }, /ANNALS_CONTEXT and ANNALS_URL are both set/],
    [{ ANNALS_CONTEXT: 'prod', ANNALS_TOKEN: secret }, /ANNALS_CONTEXT and ANNALS_TOKEN are both set/],
  ])('%j is invalid usage', async (given, message) => {
    env = given
    const end = await annals('owners')
    expect(end.exitCode).toBe(2)
    expect(end.stderr).toMatch(message)
    expect(end.stderr).not.toContain(secret)
  })
})

describe('a context', () => {
  test('is created, used, shown and removed; its token is stored and never printed', async () => {
    const { url, seen } = await writer()
    const run = cliWith(env)
    const put = await run(['context', 'put', 'local', '--url', url, '--token-stdin', '--json'], `${secret}\n`)
    expect(put).toMatchObject({ exitCode: 0 })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(join(folder, 'annals'))).mode & 0o777).toBe(0o700)
    const ends = [
      put,
      await annals('context', 'show'),
      await annals('context', 'list'),
      await annals('context', 'list', '--json'),
    ]
    expect(ends.map(({ stdout, stderr }) => stdout + stderr).join('')).not.toContain(secret)
    expect(ends[3]?.json()).toEqual({ current: 'local', contexts: [{ name: 'local', url, hasToken: true }] })
    expect(await annals('owners')).toMatchObject({ exitCode: 0 })
    expect(seen).toEqual([{ token: `Bearer ${secret}`, commonName: undefined }])
    expect(await annals('context', 'remove', 'local')).toMatchObject({ exitCode: 0 })
    expect(await readFile(file, 'utf8')).toBe('{\n  "contexts": {}\n}\n')
  })

  test('has files for everything', async () => {
    const { url, seen, caFile, certFile, keyFile } = await tlsWriter()
    await writeFile(join(folder, 'token'), `${secret}\n`)
    const files = ['--ca-file', caFile, '--cert-file', certFile, '--key-file', keyFile]
    const tokenFile = ['--token-file', join(folder, 'token')]
    expect(await annals('context', 'put', 'prod', '--url', url, ...files, ...tokenFile)).toMatchObject({
      exitCode: 0,
    })
    await writeFile(join(folder, 'token'), 'rotated')
    expect(await annals('owners', '--context', 'prod')).toMatchObject({ exitCode: 0 })
    expect(seen).toEqual([{ token: 'Bearer rotated', commonName: 'ada' }])
  })

  test('is selected by --context, else by ANNALS_CONTEXT, else by use', async () => {
    const [first, second, third] = [await writer(), await writer(), await writer()]
    await write({
      contexts: { first: { url: first.url }, second: { url: second.url }, third: { url: third.url } },
    })
    const seen = () => [first, second, third].map((each) => each.seen.splice(0).length)
    expect(await annals('context', 'use', 'first')).toMatchObject({ exitCode: 0 })
    await annals('owners')
    expect(seen()).toEqual([1, 0, 0])
    env = { ...env, ANNALS_CONTEXT: 'second' }
    await annals('owners')
    expect(seen()).toEqual([0, 1, 0])
    await annals('owners', '--context', 'third')
    expect(seen()).toEqual([0, 0, 1])
  })

  test('sends its token nowhere else: --url and variables replace all of it', async () => {
    const [own, other] = [await writer(), await writer()]
    await write({ current: 'own', contexts: { own: { url: own.url, token: secret } } })
    await annals('owners', '--url', other.url)
    env = { ...env, ANNALS_URL: other.url }
    await annals('owners')
    env = { ...env, ANNALS_TOKEN: 'from-the-environment' }
    await annals('owners')
    expect(other.seen.map(({ token }) => token)).toEqual([
      undefined,
      undefined,
      'Bearer from-the-environment',
    ])
    await annals('owners', '--context', 'own')
    expect(own.seen.map(({ token }) => token)).toEqual([`Bearer ${secret}`])
  })

  test('is preferred to the local stack', async () => {
    const [own, local] = [await writer(), await writer()]
    await write({ current: 'own', contexts: { own: { url: own.url } } })
    const printing = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    expect(await runCli(['owners', '--json'], { ...env, ANNALS_URL: local.url }, env)).toBe(0)
    printing.mockRestore()
    expect([own.seen.length, local.seen.length]).toEqual([1, 0])
  })

  test.each<[string, readonly string[], RegExp]>([
    ['without a url', ['put', 'x'], /--url/],
    ['at another scheme', ['put', 'x', '--url', 'ftp://a'], /is malformed/],
    ['with a strange name', ['put', '../x', '--url', 'https://a'], /is not a name for a context/],
    [
      'with a missing file',
      ['put', 'x', '--url', 'https://a', '--ca-file', '/none'],
      /caFile of the context x \/none cannot be read/,
    ],
    [
      'with half a certificate',
      ['put', 'x', '--url', 'https://a', '--cert-file', '/none'],
      /only one of --cert-file and --key-file/,
    ],
    ['with a token as option', ['put', 'x', '--url', 'https://a', '--token', secret], /unknown option/],
    [
      'with two tokens',
      ['put', 'x', '--url', 'https://a', '--token-stdin', '--token-file', '/none'],
      /omit one/,
    ],
  ])('%s is not stored', async (_, args, message) => {
    const end = await annals('context', ...args)
    expect(end.exitCode).toBe(2)
    expect(end.stderr).toMatch(message)
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('with a token for plain HTTP is stored only if that is allowed', async () => {
    await writeFile(join(folder, 'token'), secret)
    const args = [
      'context',
      'put',
      'x',
      '--url',
      'http://writer-1:7400',
      '--token-file',
      join(folder, 'token'),
    ]
    expect(await annals(...args)).toMatchObject({ exitCode: 2 })
    expect(await annals(...args, '--allow-plain-http')).toMatchObject({ exitCode: 0 })
  })
})

describe('the contexts file', () => {
  const good = { contexts: { prod: { url: 'https://a', token: secret } } }

  test.each<[string, object | string, RegExp, number?]>([
    ['without that context', good, /there is no context "prof"; there are prod\. Did you mean prod\?/],
    ['without contexts', {}, /there are none: create one with annals context put/],
    ['that is not JSON', `{"contexts": {"prod": {"token": "${secret}"`, /is not JSON/],
    ['that is no JSON with a token before the mistake', `{"token": ${secret}}`, /is not JSON/],
    ['that is a list', '[]', /expected an object/],
    [
      'with an unknown field',
      { contexts: { prod: { url: 'https://a', tokn: secret } } },
      /unknown field "tokn"\. Did you mean token/,
    ],
    ['with a number', { contexts: { prod: { url: 1 } } }, /has a url that is not a text/],
    ['without a url', { contexts: { prod: { token: secret } } }, /has no url/],
    [
      'with two tokens',
      { contexts: { prod: { url: 'https://a', token: secret, tokenFile: 'x' } } },
      /both token and tokenFile/,
    ],
    ['that others may read', good, /others may read it \(mode 0644\): run chmod 600/, 0o644],
  ])('%s is invalid usage', async (_, content, message, mode) => {
    await write(content, mode)
    const end = await annals('owners', '--context', 'prof', '--json')
    expect(end.exitCode).toBe(2)
    expect(end.stderr).toMatch(message)
    expect(end.stdout + end.stderr).not.toContain(secret)
    expect(end.stdout + end.stderr).not.toContain('c2VjcmV0')
  })

  test('without tokens may be read by others, and its paths are relative to it', async () => {
    const { url, caFile } = await tlsWriter()
    await write({ current: 'a', contexts: { a: { url, caFile: '../ca.crt' } } }, 0o644)
    expect(caFile).toBe(join(folder, 'ca.crt'))
    expect(await annals('owners')).toMatchObject({ exitCode: 0 })
  })

  test('that cannot be read is named', async () => {
    await mkdir(file, { recursive: true })
    expect((await annals('owners')).stderr).toMatch(/contexts file .* cannot be read: EISDIR/)
  })

  test('is not needed by a command that is told where to go', async () => {
    const { url } = await writer()
    await write('broken')
    expect(await annals('owners', '--url', url)).toMatchObject({ exitCode: 0 })
  })
})
