import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { missingForNative, provideModelTools, provideNativeTools } from './requirements.ts'

// A machine on which only the programs of the test are installed.
let bin: string
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'annals-bin-'))
  vi.stubEnv('PATH', bin)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(bin, { recursive: true })
})

function install(name: string, script: string): void {
  const file = join(bin, name)
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

const installJava = (version: string) => install('java', `echo 'openjdk version "${version}" 2025-01-01' >&2`)
const installMaven = () => install('mvn', 'echo Apache Maven 3.8.7')
const redis = 'echo Redis server v=7.0.15 sha=0'

/** An apt-get that records its arguments and runs `script`. */
function installApt(script: string): void {
  install('sudo', 'while [ "$1" = -n ]; do shift; done; exec "$@"')
  install('env', 'exec /usr/bin/env "$@"')
  install('apt-get', `echo "$*" >> ${bin}/asked; ${script}`)
}

test.each(['17.0.15', '21', '24.0.1'])('Java %s is accepted', (version) => {
  installJava(version)
  installMaven()
  expect(missingForNative()).toEqual([])
})

test('without Java the message says what to install on Debian and macOS', () => {
  installMaven()
  expect(missingForNative()).toEqual([
    expect.stringMatching(/Java 17 .*none found.*apt-get install openjdk-17.*brew install openjdk@17/),
  ])
})

test.each(['1.8.0_292', '11.0.2'])('Java %s is too old, and its version is reported', (version) => {
  installJava(version)
  installMaven()
  expect(missingForNative().join()).toContain(`found ${version.split('.')[0] ?? ''}`)
})

test('Redis is installed with apt if it is missing, after an update of the lists', () => {
  installJava('17.0.1')
  installMaven()
  installApt(
    `[ "$1" = install ] && printf '#!/bin/sh\\n${redis}\\n' > ${bin}/redis-server && /bin/chmod +x ${bin}/redis-server; true`,
  )
  const said: string[] = []
  provideNativeTools((line) => said.push(line))
  expect(said).toEqual(['Installing redis-server with apt'])
  expect(readFileSync(join(bin, 'asked'), 'utf8')).toMatch(/update\ninstall --yes .*redis-server\n$/)
})

test('when Redis cannot be installed, the message says how to install it', () => {
  installJava('17.0.1')
  installMaven()
  installApt('exit 100')
  expect(() => provideNativeTools(() => undefined)).toThrow(/Redis 7 .*none found.*brew install redis/)
})

test('an installed Redis is used, unless it is too old', () => {
  installJava('17.0.1')
  installMaven()
  install('redis-server', redis)
  expect(() => provideNativeTools(() => undefined)).not.toThrow()
  install('redis-server', 'echo Redis server v=6.0.16 sha=0')
  expect(() => provideNativeTools(() => undefined)).toThrow('found 6')
})

test('Spin is installed with apt if it is missing, and reported if that fails', () => {
  install('gcc', 'echo gcc')
  installApt('exit 100')
  expect(() => provideModelTools(() => undefined)).toThrow(
    /checked with spin, which is missing.*apt-get install spin/,
  )
  installApt(
    `[ "$1" = install ] && printf '#!/bin/sh\\necho Spin\\n' > ${bin}/spin && /bin/chmod +x ${bin}/spin; true`,
  )
  expect(() => provideModelTools(() => undefined)).not.toThrow()
})
