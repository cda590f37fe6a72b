import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { stackFolders } from './folders.ts'
import { makePrivateStack } from './private-files.ts'
import { provideSecrets } from './secrets.ts'

function folders() {
  const home = mkdtempSync(join(tmpdir(), 'annals-secrets-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  return stackFolders(home)
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

test('each server gets a password of its own, in a file that only this user can read; later starts reuse them', () => {
  const where = folders()
  const made = provideSecrets(where)
  expect(new Set(Object.values(made)).size).toBe(3)
  for (const password of Object.values(made)) expect(password).toMatch(/^[\w-]{43}$/)
  expect(readdirSync(where.secrets).toSorted()).toEqual(['kafka', 'postgres', 'redis'])
  expect(modeOf(where.secrets)).toBe('700')
  for (const name of readdirSync(where.secrets)) expect(modeOf(join(where.secrets, name))).toBe('600')
  expect(provideSecrets(where)).toEqual(made)
})

test('a password that is missing is made again, others stay; a file that was opened to others is closed', () => {
  const where = folders()
  const made = provideSecrets(where)
  rmSync(join(where.secrets, 'redis'))
  chmodSync(join(where.secrets, 'kafka'), 0o644)
  makePrivateStack(where)
  const again = provideSecrets(where)
  expect(again).toEqual({ ...made, redis: again.redis })
  expect(again.redis).not.toBe(made.redis)
  expect(modeOf(join(where.secrets, 'kafka'))).toBe('600')
})

test('an empty file of an interrupted start counts as missing', () => {
  const where = folders()
  provideSecrets(where)
  writeFileSync(join(where.secrets, 'postgres'), '')
  expect(provideSecrets(where).postgres).toMatch(/^[\w-]{43}$/)
})
