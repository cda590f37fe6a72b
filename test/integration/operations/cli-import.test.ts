import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { AnnalsClient } from '#client'
import { type RecordedEvent, streamIdOf } from '#domain'

import { cliHere } from '../../support/cli/cli-here.ts'
import type { RunCli } from '../../support/cli/cli.ts'
import { installation, type RealWriter, startRealWriter } from '../../support/services/real-writer.ts'
import { uniqueName } from '../../support/stack/stack.ts'

/** So few ids that a second import meets a writer that has forgotten nearly all of the first. */
const few = '50'
const where = installation({
  ANNALS_INDEX_REMEMBERED_IDS_MAX: few,
  ANNALS_WRITER_BATCH_EVENTS_MAX: few,
  ANNALS_WRITER_APPEND_EVENTS_MAX: few,
})
const folder = mkdtempSync(join(tmpdir(), 'annals-import-'))
let writer: RealWriter
let client: AnnalsClient
let annals: RunCli

beforeAll(async () => {
  writer = await startRealWriter(where)
  client = new AnnalsClient({ url: writer.url })
  annals = cliHere({ ANNALS_URL: writer.url, ANNALS_SCHEMAS: where.domain.schemaFolder })
})
afterAll(async () => {
  await client.close()
  await writer.close()
  where.domain.remove()
  rmSync(folder, { recursive: true })
})

const write = (text: string): string => {
  const file = join(folder, uniqueName('file'))
  writeFileSync(file, text)
  return file
}
const events = (streamId: string): Promise<RecordedEvent[]> => Array.fromAsync(client.readAll(streamId))
const cdsOf = async (streamId: string): Promise<unknown[]> =>
  (await events(streamId)).map(({ data }) => (data as { cds: number }).cds)

/** A name for the customers of one test. */
const fresh = () => uniqueName('c')
const streamOf = (customer: string) => streamIdOf(where.type, customer)
const purchaseLine = (customer: string, cds: unknown, more: object = {}): string =>
  JSON.stringify({
    streamId: streamOf(customer),
    type: 'PurchaseMade',
    data: { date: '1997-01-12', cds, amount: '12.50' },
    ...more,
  })
const jsonLines = (...lines: readonly string[]): string => write(`${lines.join('\n')}\n`)

const mapping = (prefix: string, changes: object = {}): string =>
  write(
    JSON.stringify({
      stream: `${where.type}.${prefix}-{customer}`,
      type: 'PurchaseMade',
      data: {
        date: { column: 'day', type: 'date', format: 'DD.MM.YYYY' },
        cds: { column: 'cds', type: 'integer' },
        amount: { column: 'amount', type: 'decimal', scale: 2, decimalPoint: ',' },
      },
      delimiter: ';',
      ...changes,
    }),
  )

/** Customers of the real file whose purchases are many more than the writer remembers, under names of their own. */
function cdnow(lines: number, prefix: string): { readonly args: readonly string[]; readonly events: number } {
  const text = readFileSync('examples/customers/cdnow.txt', 'utf8')
    .split('\n')
    .slice(0, lines + 1)
  const spec = JSON.parse(readFileSync('examples/customers/cdnow.mapping.json', 'utf8')) as object
  const stream = `${where.type}.${prefix}-{customer_id}`
  return {
    args: [
      'import',
      write(`${text.join('\n')}\n`),
      '--mapping',
      write(JSON.stringify({ ...spec, stream })),
      '--json',
    ],
    events: lines,
  }
}

describe('a file', () => {
  test('of JSON lines goes into its streams, in its order, with ids and metadata', async () => {
    const customer = fresh()
    const id = '0198c0de-0000-7000-8000-000000000001'
    const file = jsonLines(
      purchaseLine(customer, 1, {
        id,
        metadata: { userId: 'u' },
        timestamp: '1997-01-12T00:00:00.000Z',
        version: 7,
      }),
      '',
      purchaseLine(customer, 2),
    )
    expect(await annals(['import', file])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Imported .*\nevents +2\nstreams +1\nappended +2\nrate /) as string,
    })
    const [first, second] = await events(streamOf(customer))
    expect(first).toMatchObject({
      id,
      version: 1,
      metadata: { userId: 'u' },
      data: { cds: 1, amount: '12.50' },
    })
    expect(first?.timestamp).not.toContain('1997')
    expect(second).toMatchObject({ version: 2, data: { cds: 2 } })
  })

  test('of a table becomes events by its mapping', async () => {
    const prefix = fresh()
    const file = write(
      '\ufeffcustomer;day;cds;amount\r\n"a;1";12.01.1997;2;29,3\r\n\r\n"a;1";28.02.1998;1;7\r\n',
    )
    expect(await annals(['import', file, '--mapping', mapping(prefix)])).toMatchObject({ exitCode: 0 })
    expect((await events(streamOf(`${prefix}-a;1`))).map(({ data }) => data)).toEqual([
      { date: '1997-01-12', cds: 2, amount: '29.30' },
      { date: '1998-02-28', cds: 1, amount: '7.00' },
    ])
  })

  test('twice adds nothing, however few ids the writer remembers', async () => {
    const { args, events: count } = cdnow(2_000, fresh())
    const first = (await annals(args)).json()
    expect(first).toMatchObject({ end: 'done', events: count, appended: count, alreadyThere: 0 })
    expect((await annals(args)).json()).toMatchObject({ end: 'done', appended: 0, alreadyThere: count })
  })

  test('with the same line twice has it twice, and once more for each time it is added', async () => {
    const customer = fresh()
    const source = ['--source', 'till']
    const line = purchaseLine(customer, 1)
    await annals(['import', jsonLines(line, line), ...source])
    expect(await cdsOf(streamOf(customer))).toEqual([1, 1])
    const grown = jsonLines(purchaseLine(customer, 7), line, line, line)
    expect((await annals(['import', grown, ...source, '--json'])).json()).toMatchObject({
      appended: 2,
      alreadyThere: 2,
    })
    expect(await cdsOf(streamOf(customer))).toEqual([1, 1, 7, 1])
  })

  test('of another source brings its own events, even where it says the same', async () => {
    const customer = fresh()
    for (const source of ['january', 'february']) {
      await annals(['import', jsonLines(purchaseLine(customer, 1)), '--source', source])
    }
    expect(await cdsOf(streamOf(customer))).toEqual([1, 1])
  })

  test('goes behind what a stream holds already', async () => {
    const customer = fresh()
    await client.append(streamOf(customer), [
      { type: 'PurchaseMade', data: { date: '1997-01-01', cds: 9, amount: '1.00' } },
    ])
    const file = jsonLines(purchaseLine(customer, 1), purchaseLine(customer, 2))
    expect((await annals(['import', file, '--batch', '1', '--json'])).json()).toMatchObject({ appended: 2 })
    expect(await cdsOf(streamOf(customer))).toEqual([9, 1, 2])
  })
})

describe('what is wrong', () => {
  test('is told with line and field before anything is appended, all of it in the report', async () => {
    const customer = fresh()
    const report = join(folder, uniqueName('report'))
    const file = jsonLines(
      purchaseLine(customer, 1),
      purchaseLine(customer, 'two'),
      '{"streamId',
      purchaseLine(customer, 3, { type: 'PurchaseMad' }),
      purchaseLine(customer, 3, { streamId: 'nodot' }),
      purchaseLine(customer, 3, { typo: 1 }),
    )
    const refused = await annals(['import', file, '--report', report])
    expect(refused.exitCode).toBe(1)
    expect(refused.stdout).toContain('has 5 wrong lines, and --errors-max is 1: nothing was appended')
    expect(refused.stdout).toContain('line 2: data.cds: ')
    const told = readFileSync(report, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(told).toMatchObject([
      { line: 2, path: 'data.cds', streamId: streamOf(customer) },
      { line: 3, path: 'line' },
      {
        line: 4,
        path: 'type',
        message: expect.stringContaining('has no event type "PurchaseMad"') as string,
      },
      { line: 5, path: 'streamId' },
      { line: 6, path: 'typo' },
    ])
    expect(await events(streamOf(customer))).toEqual([])
  })

  test('is left out where more is let pass, and what follows it in its stream waits until it is mended', async () => {
    const [good, bad] = [fresh(), fresh()]
    const lines = (mended: unknown) => [
      purchaseLine(bad, 1),
      purchaseLine(bad, mended),
      purchaseLine(good, 1),
      purchaseLine(bad, 3),
    ]
    const some = await annals([
      'import',
      jsonLines(...lines('two')),
      '--errors-max',
      '2',
      '--source',
      's',
      '--json',
    ])
    expect(some.json()).toMatchObject({ end: 'done', appended: 2, heldBack: 1, problemCount: 1 })
    expect(some.exitCode).toBe(1)
    expect([await cdsOf(streamOf(good)), await cdsOf(streamOf(bad))]).toEqual([[1], [1]])
    await annals(['import', jsonLines(...lines(2)), '--source', 's'])
    expect([await cdsOf(streamOf(good)), await cdsOf(streamOf(bad))]).toEqual([[1], [1, 2, 3]])
  })

  test('by the writer alone is told by line and field too, and what came before it is in', async () => {
    const customer = fresh()
    const file = jsonLines(
      purchaseLine(customer, 1),
      purchaseLine(customer, 'two'),
      purchaseLine(customer, 3),
    )
    const stopped = await annals(['import', file, '--no-schemas', '--json'])
    expect(stopped.exitCode).toBe(1)
    expect(stopped.json()).toMatchObject({
      end: 'stopped',
      appended: 1,
      problems: [{ line: 2, path: 'data.cds', streamId: streamOf(customer) }],
    })
    expect(await cdsOf(streamOf(customer))).toEqual([1])
  })

  test('of a table is told by column', async () => {
    const table = (row: string) => write(`customer;day;cds;amount\n${row}\n`)
    const told = async (row: string) =>
      (await annals(['import', table(row), '--mapping', mapping(fresh()), '--dry-run', '--json'])).json()[
        'problems'
      ]
    expect(await told('1;30.02.1997;1;2,50')).toMatchObject([
      { line: 2, path: 'data.date', message: 'column day has "30.02.1997": expected a date as DD.MM.YYYY' },
    ])
    expect(await told('1;01.02.1997;x;2,50')).toMatchObject([
      { message: 'column cds has "x": expected a whole number' },
    ])
    expect(await told('1;01.02.1997;1;2.50')).toMatchObject([{ path: 'data.amount' }])
    expect(await told(';01.02.1997;1;2,50')).toMatchObject([
      { message: 'column customer is empty: streamId needs it' },
    ])
    expect(await told('1;01.02.1997;1')).toMatchObject([
      { message: '3 columns: expected 4 (customer, day, cds, amount)' },
    ])
    expect(await told('1;01.02.1997;1;"2,50')).toMatchObject([
      { line: 2, message: expect.stringContaining('a quote is opened here and never closed') as string },
    ])
  })

  test.each([
    [() => ['/nowhere.ndjson'], '/nowhere.ndjson cannot be read: ENOENT'],
    [() => [folder], 'it is a folder'],
    [() => [jsonLines('{}'), '--mapping', write('{')], 'is not JSON'],
    [() => [jsonLines('{}'), '--mapping', mapping('p', { stream: 1 })], 'stream: expected string, got 1'],
    [
      () => [jsonLines('{}'), '--mapping', mapping('p', { data: { date: { column: 'day', type: 'day' } } })],
      'data.date.type: expected one of text, ',
    ],
    [() => [write('customer;day;cds\n'), '--mapping', mapping('p')], 'has no column amount, which '],
    [() => [jsonLines('{}'), '--errors-max', '0'], '--errors-max 0: expected a whole number'],
    [() => [jsonLines('{}'), '--rename', 'x'], 'aggregate type "" is malformed'],
  ])('case %# is not understood: exit code 2', async (args, told) => {
    const { exitCode, stderr } = await annals(['import', ...args()])
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(told) as string })
    expect(stderr).not.toContain('    at ')
  })

  test('to a full disk is told: the report, and the checkpoint', async () => {
    const file = jsonLines(purchaseLine(fresh(), 'two'))
    const report = await annals(['import', file, '--report', '/dev/full', '--json'])
    expect(report.json()).toMatchObject({ error: { code: 'disk-full', exitCode: 1 } })
    const checkpoint = join(folder, uniqueName('checkpoint'))
    symlinkSync('/dev/full', `${checkpoint}.next`)
    const customer = fresh()
    const sound = jsonLines(purchaseLine(customer, 1))
    const stopped = await annals(['import', sound, '--checkpoint', checkpoint, '--json'])
    expect(stopped.json()).toMatchObject({ error: { code: 'disk-full', exitCode: 1 } })
    rmSync(`${checkpoint}.next`)
    await annals(['import', sound, '--checkpoint', checkpoint])
    expect(await cdsOf(streamOf(customer))).toEqual([1])
  })

  test('with a writer that is not there: exit code 3', async () => {
    const file = jsonLines(purchaseLine(fresh(), 1))
    const { exitCode, stderr } = await annals(['import', file, '--url', 'http://127.0.0.1:1'])
    expect(exitCode).toBe(3)
    expect(stderr).toContain('./scripts/start.sh starts a local stack')
  })
})

describe('an import that can be rolled back', () => {
  const voided = JSON.stringify({ date: '2000-01-01', cds: 0, amount: '0.00' })
  const rollback = (importId: string, ...more: string[]) =>
    annals([
      'import-rollback',
      importId,
      where.type,
      '--event',
      'PurchaseMade',
      '--data',
      voided,
      '--json',
      ...more,
    ])

  test('is rolled back once, with one event after its own', async () => {
    const [a, b, importId] = [fresh(), fresh(), uniqueName('trial')]
    const file = jsonLines(purchaseLine(a, 1), purchaseLine(b, 2), purchaseLine(a, 3))
    await annals(['import', file, '--import-id', importId])
    expect((await rollback(importId)).exitCode).toBe(2)
    expect((await rollback(importId, '--dry-run')).json()).toMatchObject({ streams: 2, takenBack: 2 })
    expect(await cdsOf(streamOf(a))).toEqual([1, 3])
    expect((await rollback(importId, '--yes')).json()).toMatchObject({ streams: 2, takenBack: 2 })
    expect((await rollback(importId, '--yes')).json()).toMatchObject({ takenBack: 0, alreadyTakenBack: 2 })
    expect([await cdsOf(streamOf(a)), await cdsOf(streamOf(b))]).toEqual([
      [1, 3, 0],
      [2, 0],
    ])
  })

  test('does not resume after it was rolled back, except under another id', async () => {
    const [customer, importId] = [fresh(), uniqueName('trial')]
    await annals(['import', jsonLines(purchaseLine(customer, 1)), '--import-id', importId])
    await rollback(importId, '--yes')
    const whole = jsonLines(purchaseLine(customer, 1), purchaseLine(customer, 2))
    const refused = await annals(['import', whole, '--import-id', importId, '--json'])
    expect(refused.json()).toMatchObject({
      end: 'stopped',
      appended: 0,
      problems: [{ message: expect.stringContaining('was rolled back') as string }],
    })
    expect(await cdsOf(streamOf(customer))).toEqual([1, 0])
  })

  test('keeps its hands off streams of others, and leaves alone what others have appended to since', async () => {
    const [customer, other, importId] = [fresh(), fresh(), uniqueName('trial')]
    await annals(['import', jsonLines(purchaseLine(other, 1))])
    const file = jsonLines(purchaseLine(customer, 1), purchaseLine(other, 2))
    expect((await annals(['import', file, '--import-id', importId, '--json'])).json()).toMatchObject({
      appended: 1,
      problems: [
        { line: 2, message: expect.stringContaining('contains events that are not from import') as string },
      ],
    })
    await annals(['import', jsonLines(purchaseLine(customer, 5))])
    const taken = await rollback(importId, '--yes')
    expect(taken.exitCode).toBe(1)
    expect(taken.json()).toMatchObject({ takenBack: 0, leftAlone: [{ streamId: streamOf(customer) }] })
    expect(await cdsOf(streamOf(customer))).toEqual([1, 5])
  })

  test('that nobody made is told', async () => {
    expect((await rollback('nobody', '--yes')).json()).toMatchObject({ error: { code: 'import-not-found' } })
  })
})
