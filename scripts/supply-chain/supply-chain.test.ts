import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { expect, test } from 'vitest'

import { repository } from '../stack/index.ts'
import { runProgram } from '../test/run-program.ts'
import { ignoredInstallScripts } from './install-scripts.ts'
import { judgeSignatures } from './judge-signatures.ts'
import { licenceFaults, licenceOf, unusedLicences } from './licences.ts'
import { licencesPage } from './licences-page.ts'
import { lockedPackages, lockFile } from './locked-packages.ts'

const packages = lockedPackages()
const read = (name: string): string => readFileSync(join(repository, name), 'utf8')

const lockWith = (entry: object) =>
  lockedPackages(
    JSON.stringify({ packages: { '': {}, 'node_modules/@some/one': { version: '1.0.0', ...entry } } }),
  )

test('no package runs code when it is installed, and each that would is listed with the reason why it need not', () => {
  expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m)
  const withScript = packages.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name)
  expect([...new Set(withScript)]).toEqual(Object.keys(ignoredInstallScripts))
  for (const name of withScript) expect(read('.npmrc')).toContain(name)
})

test('Annals needs none of its own scripts that npm skips', () => {
  const { scripts } = JSON.parse(read('package.json')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  const skipped = Object.keys(scripts).filter(
    (name) =>
      /^(install|prepare|prepublish|prepack|postpack|dependencies)$/.test(name) ||
      Object.hasOwn(scripts, name.replace(/^(pre|post)/, '')) !== Object.hasOwn(scripts, name),
  )
  expect(skipped).toEqual([])
})

test('the lock file names no registry, and a checksum for every package', () => {
  const text = readFileSync(lockFile, 'utf8')
  const { packages: entries } = JSON.parse(text) as { packages: Record<string, Record<string, unknown>> }
  const others = Object.entries(entries).filter(([folder]) => folder !== '')
  expect(others.length).toBeGreaterThan(500)
  for (const [folder, entry] of others) {
    expect(entry, folder).not.toHaveProperty('resolved')
    expect(entry['integrity'], folder).toMatch(/^sha512-/)
  }
})

test('every licence is on the list, and the list has no entry that nothing needs', () => {
  expect(licenceFaults(packages)).toEqual([])
  expect(unusedLicences(packages)).toEqual([])
})

test.each<[string, object, readonly string[]]>([
  ['an allowed licence', { license: 'MIT' }, []],
  ['one that is allowed for tools only', { license: 'MPL-2.0', dev: true }, []],
  [
    'the same in the product',
    { license: 'MPL-2.0' },
    [expect.stringMatching('MPL-2.0.*not allowed for the product')],
  ],
  [
    'another one',
    { license: 'AGPL-3.0', dev: true },
    [expect.stringMatching('AGPL-3.0.*not allowed for tools')],
  ],
  ['none', {}, ['@some/one@1.0.0 states no licence']],
])('%s', (_, entry, faults) => {
  expect(licenceFaults(lockWith(entry))).toEqual(faults)
})

test('a package of tools that is also one of the product counts for the product', () => {
  const text = JSON.stringify({
    packages: {
      'node_modules/a': { version: '1.0.0', license: 'MPL-2.0', dev: true },
      'node_modules/b/node_modules/a': { version: '1.0.0', license: 'MPL-2.0' },
    },
  })
  expect(lockedPackages(text)).toMatchObject([{ name: 'a', isProduct: true }])
})

test('a licence that a package does not state is the one that was read in its files', () => {
  const unstated = packages.filter(({ licence }) => licence === undefined)
  expect(unstated.length).toBeGreaterThan(0)
  for (const each of unstated) expect(licenceOf(each), each.name).toBe('MIT')
})

test('docs/operations/licences.md is up to date: npm run licences', async () => {
  const path = join(repository, 'docs/operations/licences.md')
  const options = { ...(await resolveConfig(path)), filepath: path }
  expect(await format(licencesPage(packages), options)).toBe(readFileSync(path, 'utf8'))
})

test.each([
  ['all valid', '{"invalid":[],"missing":[]}', 0, 'All packages have valid signatures.'],
  [
    'one invalid',
    '{"invalid":[{"name":"a","version":"1.0.0"}],"missing":[]}',
    1,
    'a@1.0.0 has an invalid signature',
  ],
  [
    'one missing',
    '{"invalid":[],"missing":[{"name":"a","version":"1.0.0"}]}',
    1,
    'a@1.0.0 has no signature, but',
  ],
  [
    'no registry',
    '{"error":{"summary":"getaddrinfo ENOTFOUND"}}',
    3,
    'No signature was checked: getaddrinfo ENOTFOUND',
  ],
  ['no JSON', 'npm: unknown command', 3, 'No signature was checked: npm: unknown command'],
  ['nothing', '', 3, 'No signature was checked: npm printed nothing'],
  ['JSON of another kind', '[]', 3, 'No signature was checked: []'],
  ['a report without lists', '{"invalid":[]}', 3, 'No signature was checked'],
])('signatures, %s', (_, output, exitCode, line) => {
  const verdict = judgeSignatures(output)
  expect(verdict.exitCode).toBe(exitCode)
  expect(verdict.lines[0]).toContain(line)
})

test('the SBOM lists what Annals runs with, not what it is built with', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'annals-sbom-'))
  try {
    const script = join(repository, 'scripts/supply-chain/sbom.ts')
    const file = join(folder, 'new', 'sbom.json')
    const options = { cwd: folder, timeoutMs: 100_000, output: 'keep' } as const
    const { exitCode, output } = await runProgram(process.execPath, [script, '--output', file], options)
    expect(exitCode, output).toBe(0)
    const sbom = JSON.parse(readFileSync(file, 'utf8')) as {
      bomFormat: string
      components: { name: string }[]
    }
    expect(sbom.bomFormat).toBe('CycloneDX')
    const names = sbom.components.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['fastify', 'jose', 'ioredis']))
    expect(names).not.toContain('vitest')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
