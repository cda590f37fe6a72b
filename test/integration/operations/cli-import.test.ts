import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { uniqueName } from '../../support/stack/stack.ts'
import { fresh, importsForFile } from '../../support/operations/import-source.ts'

const { annals, cdsOf, client, events, jsonLines, mapping, purchaseLine, streamOf, where, write } =
  await importsForFile()

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

  test('that does not exist is reported', async () => {
    expect((await rollback('missing', '--yes')).json()).toMatchObject({ error: { code: 'import-not-found' } })
  })
})
