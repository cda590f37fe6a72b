import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { RunCli } from '../../support/cli/cli.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import { type CliProcess, startCli } from '../../support/cli/cli-process.ts'
import { openReplaySource, type ReplaySource } from '../../support/operations/replay-source.ts'
import { eventsInFile, positionsOf } from '../../support/operations/replayed.ts'
import { waitFor } from '../../support/stack/stack.ts'

let source: ReplaySource
let here: RunCli
beforeAll(async () => {
  source = await openReplaySource()
  here = cliHere(source.where.env)
})
afterAll(() => source.close())

test('the file has all events, the report has every partition, and the file is not overwritten by accident', async () => {
  const path = source.pathOf('whole.ndjson')
  const end = await here(['replay', source.type, '--to-file', path, '--json'])
  expect(end).toMatchObject({ exitCode: 0, stderr: '' })
  expect(positionsOf(eventsInFile(path))).toEqual(source.all)
  expect(end.json()).toMatchObject({
    ...{ end: 'done', topic: source.topic, events: 1_200, read: 1_200, unreadable: 0 },
    partitions: source.log.map(({ partition, events, endOffset }) => ({
      ...{ partition, from: 0, next: endOffset, until: endOffset, unreadable: 0 },
      ...{ read: events.length, replayed: events.length },
    })),
  })
  const again = await here(['replay', source.type, '--to-file', path])
  expect(again).toMatchObject({ exitCode: 1, stdout: '' })
  expect(again.stderr).toContain('already exists: --resume continues')
  writeFileSync(path, 'something else, and longer\n'.repeat(100_000))
  const overwritten = await here([
    'replay',
    source.type,
    '--to-file',
    path,
    '--overwrite',
    '--partition',
    '0',
  ])
  expect(overwritten.exitCode).toBe(0)
  expect(positionsOf(eventsInFile(path))).toEqual(source.inLog((_, partition) => partition === 0))
})

test('a file without a checkpoint is neither overwritten nor resumed', async () => {
  const path = source.pathOf('kept.ndjson')
  writeFileSync(path, 'mine\n')
  expect(await here(['replay', source.type, '--to-file', path])).toMatchObject({ exitCode: 1 })
  expect(readFileSync(path, 'utf8')).toBe('mine\n')
  expect(existsSync(`${path}.checkpoint`)).toBe(false)
  const resumed = await here(['replay', source.type, '--to-file', path, '--resume'])
  expect(resumed).toMatchObject({ exitCode: 1 })
  expect(resumed.stderr).toMatch(/checkpoint \S+ does not exist/)
  expect(readFileSync(path, 'utf8')).toBe('mine\n')
})

const lengthOf = (path: string) => (existsSync(path) ? statSync(path).size : 0)

/** Starts a replay of 20 s. A test that is suspended for several seconds still interrupts it. */
function startSlow(path: string): CliProcess {
  return startCli(source.where.env, ['replay', source.type, '--to-file', path, '--rate', '60'])
}

async function inTheMiddle(path: string): Promise<void> {
  await waitFor('some events in the file', () => Promise.resolve(lengthOf(path) > 20_000))
}

test('a replay resumed after Ctrl-C misses and repeats no event', async () => {
  const path = source.pathOf('interrupted.ndjson')
  const slow = startSlow(path)
  await inTheMiddle(path)
  slow.process.kill('SIGINT')
  const end = await slow.ended
  expect(end.exitCode).toBe(130)
  expect(end.stdout).toContain(`Interrupted. Run the same command with --resume to continue`)
  const part = eventsInFile(path).length
  expect(part).toBeGreaterThan(20)
  expect(part).toBeLessThan(1_100)
  const resumed = await here(['replay', source.type, '--to-file', path, '--resume', '--json'])
  expect(resumed.json()).toMatchObject({ end: 'done', events: 1_200, read: 1_200 })
  expect(positionsOf(eventsInFile(path))).toEqual(source.all)
  // Resuming a finished replay does nothing.
  expect((await here(['replay', source.type, '--to-file', path, '--resume'])).exitCode).toBe(0)
  expect(positionsOf(eventsInFile(path))).toEqual(source.all)
})

test('a replay killed and resumed repeatedly misses and repeats no event', { timeout: 180_000 }, async () => {
  const path = source.pathOf('killed.ndjson')
  const slow = startSlow(path)
  await inTheMiddle(path)
  slow.process.kill('SIGKILL')
  await slow.ended
  for (let length = lengthOf(path); length < 200_000; length = lengthOf(path)) {
    const resumed = startCli(source.where.env, [
      'replay',
      source.type,
      '--to-file',
      path,
      '--resume',
      '--rate',
      '400',
    ])
    await waitFor('some progress', () => Promise.resolve(lengthOf(path) > length + 30_000))
    resumed.process.kill('SIGKILL')
    await resumed.ended
  }
  expect(await here(['replay', source.type, '--to-file', path, '--resume'])).toMatchObject({ exitCode: 0 })
  expect(positionsOf(eventsInFile(path))).toEqual(source.all)
})

test('lines that a crash left after the checkpoint are truncated', async () => {
  const path = source.pathOf('torn.ndjson')
  const slow = startSlow(path)
  await inTheMiddle(path)
  slow.process.kill('SIGINT')
  await slow.ended
  writeFileSync(path, `${source.answered[0] ?? ''}\n{"half":`, { flag: 'a' })
  expect(await here(['replay', source.type, '--to-file', path, '--resume'])).toMatchObject({ exitCode: 0 })
  expect(positionsOf(eventsInFile(path))).toEqual(source.all)
})

test('the checkpoint of another replay, a changed file and an invalid checkpoint are refused', async () => {
  const path = source.pathOf('other.ndjson')
  const first = ['replay', source.type, '--to-file', path, '--partition', '1']
  expect((await here(first)).exitCode).toBe(0)
  const other = await here(['replay', source.type, '--to-file', path, '--type', 'PurchaseMade', '--resume'])
  expect(other.exitCode).toBe(1)
  expect(other.stderr).toContain(
    'partitions was [1] and is [] now; types was not given and is ["PurchaseMade"] now',
  )
  writeFileSync(path, '')
  const changed = await here([...first, '--resume'])
  expect(changed.exitCode).toBe(1)
  expect(changed.stderr).toMatch(/has 0 bytes, but its checkpoint records \d+: it was changed since/)
  writeFileSync(`${path}.checkpoint`, '{"checkpointVersion":1}')
  const none = await here([...first, '--resume'])
  expect(none).toMatchObject({ exitCode: 1 })
  expect(none.stderr).toContain('is not the checkpoint of a replay')
})

test('a replay to a full disk reports its progress and how to resume', async () => {
  const end = await here([
    ...['replay', source.type, '--to-file', '/dev/full', '--overwrite'],
    ...['--checkpoint', source.pathOf('full.checkpoint'), '--json'],
  ])
  expect(end.exitCode).toBe(1)
  expect(end.stderr).toMatch(
    /writing \/dev\/full: the disk is full\. Free some space\. 0 events were replayed, next is .*:0:0\. Run the same command with --resume to continue/,
  )
  expect(end.json()).toMatchObject({ error: { code: 'disk-full', events: 0 } })
})

test('a replay whose disk ran full is resumed without loss once there is space', async (context) => {
  const disk = source.pathOf('disk')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    context.skip('cannot mount a disk')
  }
  try {
    const path = join(disk, 'events.ndjson')
    const full = await here(['replay', source.type, '--to-file', path, '--rate', '3000'])
    expect(full.exitCode).toBe(1)
    expect(full.stderr).toContain('the disk is full')
    expect(lengthOf(path)).toBeGreaterThan(50_000)
    execFileSync('mount', ['-o', 'remount,size=8m', disk])
    expect(await here(['replay', source.type, '--to-file', path, '--resume'])).toMatchObject({ exitCode: 0 })
    expect(positionsOf(eventsInFile(path))).toEqual(source.all)
  } finally {
    execFileSync('umount', [disk])
  }
})

test('a missing folder, and a folder in place of the file, are reported', async () => {
  const nowhere = await here(['replay', source.type, '--to-file', source.pathOf('nowhere/events.ndjson')])
  expect(nowhere).toMatchObject({ exitCode: 1 })
  expect(nowhere.stderr).toContain('ENOENT')
  expect(
    (await here(['replay', source.type, '--to-file', dirname(source.pathOf('x')), '--overwrite'])).stderr,
  ).toContain('EISDIR')
})
