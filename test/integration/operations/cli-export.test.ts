import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { AnnalsClient } from '#client'
import { aggregateIdOf, newEventId, type RecordedEvent, type StreamId, streamIdOf } from '#domain'

import { cliHere } from '../../support/cli/cli-here.ts'
import { cliWith, type RunCli } from '../../support/cli/cli.ts'
import { installation, type RealWriter, startRealWriter } from '../../support/services/real-writer.ts'
import { uniqueName } from '../../support/stack/stack.ts'

/** One type to export from, and one to import into. */
const where = installation({}, 2)
const [type = '', otherType = ''] = where.domain.types
const folder = mkdtempSync(join(tmpdir(), 'annals-export-'))
let writer: RealWriter
let client: AnnalsClient
let annals: RunCli
/** Runs in a separate process with its own standard output. */
let annalsProcess: RunCli
let streams: readonly StreamId[]

beforeAll(async () => {
  declare('PurchaseReturned')
  writer = await startRealWriter(where)
  client = new AnnalsClient({ url: writer.url })
  const env = { ANNALS_URL: writer.url, ANNALS_SCHEMAS: where.domain.schemaFolder }
  annals = cliHere(env)
  annalsProcess = cliWith(env)
  streams = await someStreams(30, 70)
})
afterAll(async () => {
  await client.close()
  await writer.close()
  where.domain.remove()
  rmSync(folder, { recursive: true })
})

/** Adds an event type with the data of a purchase to the schemas of the first type. */
function declare(eventType: string): void {
  const schemaOf = (name: string) => join(where.domain.schemaFolder, type, `${name}.v1.avsc`)
  const schema = JSON.parse(readFileSync(schemaOf('PurchaseMade'), 'utf8')) as object
  writeFileSync(schemaOf(eventType), JSON.stringify({ ...schema, name: eventType }))
}

/** Appends more events than fit in a page. */
async function someStreams(count: number, eventsEach: number): Promise<readonly StreamId[]> {
  const all = Array.from({ length: count }, (_, index) => streamIdOf(type, `c-${index}`))
  await client.appendMany(
    all.map((streamId) => ({
      streamId,
      events: Array.from({ length: eventsEach }, (_, index) => ({
        id: newEventId(),
        type: 'PurchaseMade',
        data: { date: '1997-01-12', cds: index + 1, amount: '12.50' },
        metadata: { correlationId: `co-${index}`, userId: 'ü "1"' },
      })),
    })),
  )
  return all
}

const fresh = (): string => join(folder, uniqueName('file'))
const linesOf = (text: string): RecordedEvent[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RecordedEvent)
const stream = (streamId: string): Promise<RecordedEvent[]> => Array.fromAsync(client.readAll(streamId))

/** The parts of events that an import into another installation keeps: all except position and time. */
const lasting = (events: readonly RecordedEvent[]) =>
  events.map(({ id, version, type: eventType, data, metadata }) => ({
    id,
    version,
    eventType,
    data,
    metadata,
  }))

describe('an export', () => {
  test('that is imported into another type gives equal streams', async () => {
    const file = fresh()
    const exported = await annals(['export', type, '--output', file, '--json'])
    expect(exported.json()).toMatchObject({ events: 2_100, streams: 30, isInterrupted: false, file })
    const imported = await annals(['import', file, '--rename', `${type}=${otherType}`, '--json'])
    expect(imported.json()).toMatchObject({ end: 'done', appended: 2_100, streams: 30 })
    for (const streamId of streams) {
      const copy = await stream(streamIdOf(otherType, aggregateIdOf(streamId)))
      expect(lasting(copy)).toEqual(lasting(await stream(streamId)))
    }
    const again = await annals(['import', file, '--rename', `${type}=${otherType}`, '--json'])
    expect(again.json()).toMatchObject({ appended: 0, alreadyThere: 2_100 })
  })

  test('of one stream is written to standard output, and nothing else is', async () => {
    const [streamId = ''] = streams
    const { exitCode, stdout, stderr } = await annalsProcess(['export', '--stream', streamId])
    expect(exitCode).toBe(0)
    expect(linesOf(stdout).map(({ version }) => version)).toEqual(
      Array.from({ length: 70 }, (_, index) => index + 1),
    )
    expect(linesOf(stdout)[0]).toMatchObject({
      streamId,
      type: 'PurchaseMade',
      metadata: { userId: 'ü "1"' },
    })
    expect(stderr).toContain('Exported 70 events of 1 streams')
  })

  test('of an id that is not the id of a stream is rejected', async () => {
    const { exitCode, json } = await annals(['export', '--stream', 'nodot', '--json'])
    expect(exitCode).toBe(2)
    expect(json()).toMatchObject({ error: { code: 'invalid-request' } })
  })

  test('can be limited by time and by event type', async () => {
    const counted = async (...args: string[]) =>
      (await annals(['export', type, '--output', fresh(), '--json', ...args])).json()
    expect(await counted('--type', 'PurchaseMade')).toMatchObject({ events: 2_100 })
    // Declared, and never appended.
    expect(await counted('--type', 'PurchaseReturned')).toMatchObject({ events: 0, streams: 0 })
    expect(await counted('--type', 'PurchaseMad')).toMatchObject({
      error: { code: 'invalid-request', message: expect.stringContaining('PurchaseMade') as string },
    })
    expect(await counted('--until-time', '2020-01-01')).toMatchObject({ events: 0 })
    expect(await counted('--from-time', '2020-01-01')).toMatchObject({ events: 2_100 })
  })

  test('as a table is imported with the same mapping, including ids', async () => {
    const [file, mapping, back] = [fresh(), fresh(), fresh()]
    const spec = {
      delimiter: ';',
      stream: `${type}.{customer}`,
      type: '{what}',
      id: '{id}',
      metadata: { correlationId: '{why}', userId: '{who}' },
      data: {
        date: { column: 'day', type: 'date', format: 'DD.MM.YYYY' },
        cds: { column: 'cds', type: 'integer' },
        amount: { column: 'amount', type: 'decimal', decimalPoint: ',' },
      },
    }
    writeFileSync(mapping, JSON.stringify(spec))
    expect(
      await annals(['export', '--stream', streams[0] ?? '', '--mapping', mapping, '--output', file]),
    ).toMatchObject({ exitCode: 0 })
    const [header, first] = readFileSync(file, 'utf8').split('\n')
    expect(header).toBe('customer;what;id;why;who;day;cds;amount')
    expect(first).toMatch(/^c-0;PurchaseMade;[0-9a-f-]{36};co-0;"ü ""1""";12\.01\.1997;1;12,50$/)
    writeFileSync(back, JSON.stringify({ ...spec, stream: `${otherType}.table-{customer}` }))
    expect(await annals(['import', file, '--mapping', back])).toMatchObject({ exitCode: 0 })
    expect(lasting(await stream(streamIdOf(otherType, 'table-c-0')))).toEqual(
      lasting(await stream(streams[0] ?? '')),
    )
  })

  test('to a table that lacks a field is refused, and leaves no file', async () => {
    const [file, mapping] = [fresh(), fresh()]
    const data = { date: { column: 'day', type: 'date' } }
    writeFileSync(mapping, JSON.stringify({ stream: `${type}.{customer}`, type: 'PurchaseMade', data }))
    const refused = await annals(['export', type, '--mapping', mapping, '--output', file])
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain('has no row for PurchaseMade of ')
    expect([existsSync(file), existsSync(`${file}.partial`)]).toEqual([false, false])
  })

  test('does not overwrite a file without --overwrite', async () => {
    const file = fresh()
    writeFileSync(file, 'precious')
    const refused = await annals(['export', type, '--output', file, '--json'])
    expect(refused.json()).toMatchObject({ error: { code: 'target-exists', exitCode: 1 } })
    expect(readFileSync(file, 'utf8')).toBe('precious')
    await annals(['export', type, '--output', file, '--overwrite'])
    expect(linesOf(readFileSync(file, 'utf8'))).toHaveLength(2_100)
  })

  test('to a full disk or a missing folder fails and leaves no file', async () => {
    const file = fresh()
    symlinkSync('/dev/full', `${file}.partial`)
    const full = await annals(['export', type, '--output', file, '--json'])
    expect(full.exitCode).toBe(1)
    expect(full.json()).toMatchObject({ error: { code: 'disk-full' } })
    expect([existsSync(file), existsSync(`${file}.partial`)]).toEqual([false, false])
    const nowhere = await annals(['export', type, '--output', join(folder, 'nowhere', 'file'), '--json'])
    expect(nowhere.json()).toMatchObject({ error: { code: 'file-failed', exitCode: 1 } })
  })

  test.each([
    [['export'], 2, 'export takes either an aggregate type or --stream'],
    [['export', 'a', '--stream', 'a.b'], 2, 'either an aggregate type or --stream'],
    [['export', 'no-such-type'], 1, 'no-such-type'],
    [['export', '--stream', 'nodot'], 2, 'has no dot'],
    [['export', type, '--from-time', 'yesterday'], 2, 'is not a time'],
    [['export', type, '--url', 'http://127.0.0.1:1'], 3, './scripts/start.sh starts a local stack'],
  ])('%j exits with %i', async (args, code, message) => {
    const { exitCode, stdout, stderr } = await annals(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' })
    expect(stderr).toContain(message)
  })
})
