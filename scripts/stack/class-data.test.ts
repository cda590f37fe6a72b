import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { classDataOptions, withClassData } from './class-data.ts'

const pid = 4711
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
  jcmd(`[ "$1" = -h ] || echo "classes of $1" > "$4"`)
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

/** The options of Java that a start gets. */
async function optionsOfStart(): Promise<readonly string[]> {
  let given: readonly string[] = []
  const server = await withClassData(
    distribution,
    (options) => {
      given = options
      return Promise.resolve({ pid })
    },
    folder,
  )
  expect(server).toEqual({ pid })
  return given
}

const records = expect.arrayContaining(['-XX:+RecordDynamicDumpInfo']) as unknown
const archives = (): string[] => readdirSync(folder)

test('the first start records its classes, and later starts and tools use the archive', async () => {
  expect(classDataOptions(distribution, folder)).toEqual([])
  expect(await optionsOfStart()).toEqual(records)
  const [archive = ''] = archives()
  expect(archive).toMatch(/^teapot-1\.0-[0-9a-f]{16}\.jsa$/)
  const used = [`-XX:SharedArchiveFile=${join(folder, archive)}`]
  expect(await optionsOfStart()).toEqual(used)
  expect(classDataOptions(distribution, folder)).toEqual(used)
})

test.each([
  ['fails', '[ "$1" = -h ] || exit 1'],
  ['writes nothing', ''],
])('a dump that %s leaves a running server and no archive', async (_, script) => {
  jcmd(script)
  expect(await optionsOfStart()).toEqual(records)
  expect(archives()).toEqual([])
})

test('without jcmd a start records nothing', async () => {
  jcmd('exit 127')
  expect(await optionsOfStart()).toEqual([])
  expect(archives()).toEqual([])
})

test('an archive of other jars is replaced, and those of other programs stay', async () => {
  await optionsOfStart()
  const before = archives()
  writeFileSync(join(folder, 'kettle-1.0-0123456789abcdef.jsa'), '')
  writeFileSync(join(distribution, 'teapot.jar'), 'more tea')
  expect(await optionsOfStart()).toEqual(records)
  expect(archives()).toHaveLength(2)
  expect(archives()).not.toEqual(expect.arrayContaining(before))
})

test('only one of several processes writes the archive, and a draft of a dead one is removed', async () => {
  await optionsOfStart()
  const [archive = ''] = archives()
  const drafted = (writer: number) => {
    rmSync(join(folder, archive), { force: true })
    writeFileSync(join(folder, `.incoming-${writer}-${archive}`), '')
  }
  drafted(process.ppid)
  expect(await optionsOfStart()).toEqual([])
  rmSync(join(folder, `.incoming-${process.ppid}-${archive}`))
  // Above the greatest pid of Linux.
  drafted(2 ** 22 + 1)
  expect(await optionsOfStart()).toEqual(records)
  expect(archives()).toEqual([archive])
})

test('a start that fails leaves no draft behind', async () => {
  const failing = withClassData(distribution, () => Promise.reject(new Error('no tea')), folder)
  await expect(failing).rejects.toThrow('no tea')
  expect(archives()).toEqual([])
})
