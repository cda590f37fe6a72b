import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { stackFolders } from './folders.ts'
import { makePrivate, makePrivateFolder, makePrivateStack } from './private-files.ts'

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'annals-private-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

test('created folders are private, including their parents', () => {
  const folder = join(temporaryFolder(), 'a', 'b')
  makePrivateFolder(folder)
  expect([folder, join(folder, '..')].map(modeOf)).toEqual(['700', '700'])
})

test('permissions left by an older version are tightened; links are not followed', () => {
  const home = temporaryFolder()
  const outside = join(home, 'outside')
  writeFileSync(outside, '')
  chmodSync(outside, 0o644)
  const folders = stackFolders(home)
  const deep = join(folders.data, 'kafka', 'eventstore.order-0')
  mkdirSync(deep, { recursive: true })
  mkdirSync(folders.run)
  const file = join(deep, '0.log')
  const token = join(folders.run, 'stack.json')
  for (const each of [file, token]) writeFileSync(each, '')
  for (const each of [file, token]) chmodSync(each, 0o664)
  for (const each of [folders.data, join(deep, '..'), deep, folders.run]) chmodSync(each, 0o755)
  symlinkSync(outside, join(deep, 'link'))
  makePrivateStack(folders)
  expect([folders.data, join(deep, '..'), deep, folders.run].map(modeOf)).toEqual(Array(4).fill('700'))
  expect([file, token].map(modeOf)).toEqual(['600', '600'])
  expect(modeOf(outside)).toBe('644')
})

test('a missing folder is ignored', () => {
  expect(() => makePrivate(join(temporaryFolder(), 'nothing'))).not.toThrow()
})
