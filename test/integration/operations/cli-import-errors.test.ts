import { readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { uniqueName } from '../../support/stack/stack.ts'
import { fresh, importsForFile } from '../../support/operations/import-source.ts'

const { annals, cdsOf, events, folder, jsonLines, mapping, purchaseLine, streamOf, write } =
  await importsForFile()

describe('what is wrong', () => {
  test('is reported with line and field before anything is appended, completely in the report file', async () => {
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
    const written = readFileSync(report, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(written).toMatchObject([
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

  test('that only the writer detects is reported by line and field too, and earlier events are appended', async () => {
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

  test('of a table is reported by column', async () => {
    const table = (row: string) => write(`customer;day;cds;amount\n${row}\n`)
    const errorsOf = async (row: string) =>
      (await annals(['import', table(row), '--mapping', mapping(fresh()), '--dry-run', '--json'])).json()[
        'problems'
      ]
    expect(await errorsOf('1;30.02.1997;1;2,50')).toMatchObject([
      { line: 2, path: 'data.date', message: 'column day has "30.02.1997": expected a date as DD.MM.YYYY' },
    ])
    expect(await errorsOf('1;01.02.1997;x;2,50')).toMatchObject([
      { message: 'column cds has "x": expected a whole number' },
    ])
    expect(await errorsOf('1;01.02.1997;1;2.50')).toMatchObject([{ path: 'data.amount' }])
    expect(await errorsOf(';01.02.1997;1;2,50')).toMatchObject([
      { message: 'column customer is empty: streamId needs it' },
    ])
    expect(await errorsOf('1;01.02.1997;1')).toMatchObject([
      { message: '3 columns: expected 4 (customer, day, cds, amount)' },
    ])
    expect(await errorsOf('1;01.02.1997;1;"2,50')).toMatchObject([
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
  ])('case %# is rejected: exit code 2', async (args, message) => {
    const { exitCode, stderr } = await annals(['import', ...args()])
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) as string })
    expect(stderr).not.toContain('    at ')
  })

  test('to a full disk is reported: the report file and the checkpoint', async () => {
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
