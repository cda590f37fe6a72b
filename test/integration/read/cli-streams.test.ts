import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { newEventId } from '#domain'

import { cliHere } from '../../support/cli/cli-here.ts'
import { cliWith, type RunCli } from '../../support/cli/cli.ts'
import { installation, type RealWriter, startRealWriter } from '../../support/services/real-writer.ts'
import { uniqueName } from '../../support/stack/stack.ts'

const where = installation()
const purchase = { date: '2026-01-31', cds: 2, amount: '29.33' }
let writer: RealWriter
let annals: RunCli
/** Runs in a separate process with its own standard input. */
let annalsProcess: RunCli

beforeAll(async () => {
  writer = await startRealWriter(where)
  const env = { ANNALS_URL: writer.url }
  annals = cliHere(env)
  annalsProcess = cliWith(env)
})
afterAll(async () => {
  await writer.close()
  where.domain.remove()
})

const freshStream = () => `${where.type}.${uniqueName('c')}`
const append = (streamId: string, ...more: string[]) =>
  annals(['append', streamId, 'PurchaseMade', '--data', JSON.stringify(purchase), '--json', ...more])

async function streamOf(events: number): Promise<string> {
  const streamId = freshStream()
  for (let left = events; left > 0; left--) expect(await append(streamId)).toMatchObject({ exitCode: 0 })
  return streamId
}

describe('append', () => {
  test('reports the result as text and as JSON', async () => {
    const streamId = freshStream()
    const appended = await annals(['append', streamId, 'PurchaseMade', '--data', JSON.stringify(purchase)])
    expect(appended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(appended.stdout).toContain(`Appended PurchaseMade to ${streamId} at version 1 (id `)
    const second = await append(streamId, '--expected-version', '1')
    expect(second.json()).toMatchObject({ streamId, firstVersion: 2, lastVersion: 2, duplicate: false })
    expect(second.json()['position']).toMatch(new RegExp(`^eventstore\\.${where.type}:\\d+:\\d+$`))
  })

  test('reads data from standard input and from a file, and metadata from options', async () => {
    const streamId = freshStream()
    const folder = await mkdtemp(join(tmpdir(), 'annals-cli-'))
    const file = join(folder, 'purchase.json')
    await writeFile(file, JSON.stringify({ ...purchase, cds: 7 }))
    await annalsProcess(['append', streamId, 'PurchaseMade', '--data', '-'], JSON.stringify(purchase))
    const metadata = ['--correlation-id', 'co', '--causation-id', 'ca', '--user-id', 'u', '--session-id', 's']
    await annals(['append', streamId, 'PurchaseMade', '--data', `@${file}`, ...metadata])
    await rm(folder, { recursive: true })
    const history = (await annals(['stream', 'history', streamId, '--json'])).json()
    expect(history['events']).toMatchObject([
      { data: purchase, metadata: {} },
      {
        data: { cds: 7 },
        metadata: { correlationId: 'co', causationId: 'ca', userId: 'u', sessionId: 's' },
      },
    ])
  })

  test('with the same id again gets the first answer', async () => {
    const streamId = freshStream()
    const id = newEventId()
    await append(streamId, '--id', id)
    const again = await append(streamId, '--id', id, '--expected-version', 'no-stream')
    expect(again.json()).toMatchObject({ lastVersion: 1, duplicate: true, eventIds: [id] })
  })

  test('with a wrong expected version is refused with the actual one', async () => {
    const streamId = await streamOf(1)
    const refused = await append(streamId, '--expected-version', '7')
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toBe(
      `error: ${streamId} is at version 1, expected 7: load it again and decide again\n`,
    )
    expect(refused.json()).toMatchObject({
      error: { code: 'wrong-expected-version', exitCode: 1, expected: 7, actual: 1 },
    })
  })

  test('with a field that does not match its schema is refused, and the error names the field', async () => {
    const data = JSON.stringify({ ...purchase, cds: 'two' })
    const refused = await annals(['append', freshStream(), 'PurchaseMade', '--data', data, '--json'])
    expect(refused.exitCode).toBe(1)
    expect(refused.json()).toMatchObject({ error: { code: 'invalid-event', path: 'events[0].data.cds' } })
  })

  test.each([
    [['--data', '{"cds'], 'error: --data {"cds is not JSON: '],
    [['--data', '['.repeat(20_000)], '… is nested deeper than 100 levels'],
    [['--data', '@/nowhere.json'], 'error: --data @/nowhere.json cannot be read: ENOENT'],
    [['--data', '{}', '--id', '42'], 'expected a UUID'],
    [['--data', '{}', '--expected-version', '-1'], 'expected a whole number from 0'],
    [['--data', '{}', '--idd', '42'], "error: unknown option '--idd' (Did you mean --id?). See --help"],
    [[], "error: required option '--data <json>' not specified"],
  ])('with %j is a usage error: exit code 2, one line, nothing on stdout', async (args, message) => {
    const { exitCode, stdout, stderr } = await annals(['append', freshStream(), 'PurchaseMade', ...args])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr.trimEnd()).not.toContain('\n')
  })
})

describe('stream', () => {
  test('history reads pages in both directions, up to the limit', async () => {
    const streamId = await streamOf(3)
    const versions = async (...args: string[]) => {
      const answer = (await annals(['stream', 'history', streamId, '--json', ...args])).json()
      const events = answer['events'] as { version: number }[]
      return [events.map(({ version }) => version), answer['next']]
    }
    expect(await versions()).toEqual([[1, 2, 3], undefined])
    expect(await versions('--limit', '2')).toEqual([[1, 2], 3])
    expect(await versions('--limit', '3')).toEqual([[1, 2, 3], undefined])
    expect(await versions('--limit', '2', '--backwards')).toEqual([[3, 2], 1])
    expect(await versions('--from-version', '2', '--to-version', '2')).toEqual([[2], undefined])
    expect(await versions('--until', '2020-01-01')).toEqual([[], undefined])
    const history = await annals(['stream', 'history', streamId, '--limit', '1'])
    expect(history.stdout).toMatch(
      /^version +time +type +data\n1 .* PurchaseMade +\{.*\}\n.*--from-version 2\n$/,
    )
  })

  test('state shows the current state, and that at a version and at a time', async () => {
    const streamId = await streamOf(2)
    const state = (...args: string[]) => annals(['stream', 'state', streamId, ...args])
    expect((await state('--json')).json()).toMatchObject({ version: 2, state: { purchases: 2 } })
    expect((await state('--version', '1', '--json')).json()).toMatchObject({
      version: 1,
      state: { purchases: 1, spend: '29.33' },
    })
    expect((await state('--at', '2999-01-01')).stdout).toContain(`${streamId} at version 2\n{\n`)
    expect((await state('--version', '0', '--json')).json()).toMatchObject({
      version: 0,
      state: { purchases: 0 },
    })
    const beyond = await state('--version', '9999', '--json')
    expect(beyond).toMatchObject({ exitCode: 1 })
    expect(beyond.stderr).toContain('has no version 9999 yet: it is at version 2')
    expect(beyond.json()).toMatchObject({ error: { code: 'version-not-found' } })
    expect(await state('--at', '2001-01-01')).toMatchObject({ exitCode: 1 })
    expect(await state('--at', '2999-01-01', '--version', '1')).toMatchObject({ exitCode: 2 })
  })

  test('show prints version, times, partition and owner', async () => {
    const streamId = await streamOf(2)
    const shown = await annals(['stream', 'show', streamId, '--json'])
    expect(shown.json()).toMatchObject({ streamId, version: 2, owner: writer.url })
    expect((await annals(['stream', 'show', streamId])).stdout).toMatch(
      new RegExp(`^stream +${streamId}\nversion +2\n[^]*owner +${writer.url}\n$`),
    )
  })

  test.each([['show'], ['history'], ['state']])('%s of a missing stream fails', async (command) => {
    const { exitCode, stderr, json } = await annals(['stream', command, freshStream(), '--json'])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^error: there is no stream .*\n$/)
    expect(json()).toMatchObject({ error: { code: 'stream-not-found' } })
  })

  test.each([
    [['show', 'no-dot'], 'stream id "no-dot" has no dot'],
    [['history', `${where.type}.c-1`, '--from', 'yesterday'], 'from "yesterday" is not a time'],
    [['state', `${where.type}.c-1`, '--at', '2013-02-30'], '--at "2013-02-30" is not a time'],
    [['history', 'a.b', '--limit', '0'], '--limit 0: expected a whole number from 1 to 100000'],
    [['history', 'a.b', '--from-version', 'x'], '--from-version "x" is not a version'],
    [['show', 'a.b', '--url', 'localhost'], 'url "localhost" is malformed'],
  ])('%j is a usage error: exit code 2', async (args, message) => {
    const { exitCode, stderr } = await annals(['stream', ...args])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('    at ')
  })
})

test('owners lists the owner of each partition', async () => {
  const { partitions } = (await annals(['owners', '--json'])).json()
  const topic = `eventstore.${where.type}`
  expect(partitions).toHaveLength(8)
  expect(partitions).toEqual(
    Array.from({ length: 8 }, (_, partition): unknown =>
      expect.objectContaining({ topic, partition, url: writer.url }),
    ),
  )
  expect((await annals(['owners'])).stdout).toMatch(/^topic +partition +writer +member\n/)
})

test('an unreachable writer is named, with what to do: exit code 3', async () => {
  const { exitCode, stderr, json } = await annals([
    ...['stream', 'show', 'customer.c-1', '--url', 'http://127.0.0.1:1'],
    '--json',
  ])
  expect(exitCode).toBe(3)
  expect(stderr).toContain('http://127.0.0.1:1')
  expect(stderr).toContain('./scripts/start.sh starts a local stack')
  expect(json()).toMatchObject({ error: { code: 'unavailable', exitCode: 3 } })
})

test('help has examples and exit codes', async () => {
  expect(await annalsProcess(['--help'])).toMatchObject({ exitCode: 0, stderr: '' })
  const help = await annalsProcess(['append', '--help'])
  expect(help.stdout).toContain('Examples:\n  annals append')
  expect(await annalsProcess([])).toMatchObject({ exitCode: 2, stdout: '' })
  expect((await annals(['strem'])).stderr).toBe(
    "error: unknown command 'strem' (Did you mean stream?). See --help\n",
  )
})
