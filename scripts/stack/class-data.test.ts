import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { classDataOptions, keepClassData } from './class-data.ts'

const pid = 4711
const dumping = 'echo "classes of $1" > "$4"'
let root: string
let distribution: string
let folder: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'annals-class-data-'))
  distribution = join(root, 'teapot-1.0')
  folder = join(root, 'class-data')
  mkdirSync(distribution)
  writeFileSync(join(distribution, 'teapot.jar'), 'tea')
  // Writes the archive that it is asked for, as the JDK's jcmd does.
  jcmd(dumping)
  vi.stubEnv('PATH', `${join(root, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true })
})

function jcmd(script: string): void {
  mkdirSync(join(root, 'bin'), { recursive: true })
  writeFileSync(join(root, 'bin', 'jcmd'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(root, 'bin', 'jcmd'), 0o755)
}

const keep = (): Promise<void> => keepClassData(distribution, { name: 'Teapot', pid }, { cwd: root, folder })
const archives = (): string[] => readdirSync(folder)

test('the first start leaves an archive, and later starts use it', async () => {
  expect(classDataOptions(distribution, folder)).toEqual([])
  await keep()
  const [archive = ''] = archives()
  expect(archives()).toEqual([expect.stringMatching(/^teapot-1\.0-[0-9a-f]{16}\.jsa$/)])
  expect(readFileSync(join(folder, archive), 'utf8')).toBe(`classes of ${pid}\n`)
  expect(classDataOptions(distribution, folder)).toEqual([`-XX:SharedArchiveFile=${join(folder, archive)}`])
})

test('an archive is written once', async () => {
  await keep()
  jcmd('echo other > "$4"')
  await keep()
  expect(readFileSync(join(folder, archives()[0] ?? ''), 'utf8')).toBe(`classes of ${pid}\n`)
})

test.each([
  ['fails', 'touch "$4.classlist"; echo half > "$4.temp"; exit 1'],
  ['writes nothing', ''],
])('a dump that %s leaves no archive, and the next start tries again', async (_, script) => {
  jcmd(script)
  await keep()
  expect(archives()).toEqual([])
  expect(classDataOptions(distribution, folder)).toEqual([])
  jcmd(dumping)
  await keep()
  expect(archives()).toHaveLength(1)
})

test('the output of a dump is removed, and files of other processes stay', async () => {
  for (const other of [pid, pid + 1]) writeFileSync(join(root, `java_pid${other}_static_dump.stdout`), '')
  await keep()
  expect(readdirSync(root).filter((name) => name.startsWith('java_'))).toEqual([
    `java_pid${pid + 1}_static_dump.stdout`,
  ])
})

test('an archive of other jars is replaced, and those of other programs stay', async () => {
  await keep()
  const before = archives()
  const other = 'kettle-1.0-0123456789abcdef.jsa'
  writeFileSync(join(folder, other), '')
  writeFileSync(join(distribution, 'teapot.jar'), 'more tea')
  expect(classDataOptions(distribution, folder)).toEqual([])
  await keep()
  expect(archives()).toHaveLength(2)
  expect(archives()).toContain(other)
  expect(archives()).not.toEqual(expect.arrayContaining(before))
})

test('only one of several processes writes the archive, and a draft of a dead one is removed', async () => {
  await keep()
  const [archive = ''] = archives()
  rmSync(join(folder, archive))
  const drafted = (writer: number) => writeFileSync(join(folder, `.incoming-${writer}-${archive}`), '')
  drafted(process.ppid)
  await keep()
  expect(archives()).toEqual([`.incoming-${process.ppid}-${archive}`])
  rmSync(join(folder, `.incoming-${process.ppid}-${archive}`))
  // Above the greatest pid of Linux.
  drafted(2 ** 22 + 1)
  await keep()
  expect(archives()).toEqual([archive])
})
