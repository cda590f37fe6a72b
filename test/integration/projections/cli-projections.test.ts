import { afterAll, beforeAll, expect, test } from 'vitest'

import { AnnalsClient } from '#client'
import { formatPosition } from '#domain'
import type { ViewUpdate } from '#projections'

import type { Totals } from '../../../examples/customers/totals.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import type { RunCli } from '../../support/cli/cli.ts'
import { type RealProjector, startRealProjector } from '../../support/services/real-projector.ts'
import { installation, type RealWriter, startRealWriter } from '../../support/services/real-writer.ts'
import { waitFor } from '../../support/stack/stack.ts'

const where = installation({ ANNALS_PROJECTOR_AFTER_TIMEOUT: '30s' })
const name = where.domain.projections.lifetime
let writer: RealWriter
let projector: RealProjector
let client: AnnalsClient
let annals: RunCli

beforeAll(async () => {
  writer = await startRealWriter(where)
  projector = await startRealProjector(where)
  client = new AnnalsClient({ url: writer.url, projectionUrls: [projector.url] })
  annals = cliHere({ ANNALS_URL: projector.url })
})
afterAll(async () => {
  await client.close()
  await projector.close()
  await writer.close()
  where.domain.remove()
})

const lifetimes = () => client.projection<Totals>(name)

async function buy(id: string, amount: string) {
  const purchase = { type: 'PurchaseMade', data: { date: '1997-01-12', cds: 1, amount } }
  return (await client.append(`${where.type}.${id}`, [purchase])).position
}

const spent = async (id: string, after: Awaited<ReturnType<typeof buy>>) =>
  (await lifetimes().get(id, { after, timeoutMs: 30_000 }))?.view.spend

test('the command line shows a view after an append’s position, and lists views by an index', async () => {
  await buy('a', '5.00')
  expect(await spent('a', await buy('a', '6.50'))).toBe('11.50')
  expect(await spent('b', await buy('b', '30.00'))).toBe('30.00')
  const top = (await annals(['projection', 'views', name, '--order-by', 'spend', '--desc', '--json'])).json()
  expect(top['views']).toMatchObject([
    { key: 'b', view: { spend: '30.00' } },
    { key: 'a', view: { spend: '11.50' } },
  ])
  const one = await annals(['projection', 'view', name, 'a'])
  expect(one).toMatchObject({ exitCode: 0, stderr: '' })
  expect(one.stdout).toContain('"spend": "11.50"')
  expect((await annals(['projection', 'list'])).stdout).toMatch(new RegExp(`^${name} +2 +`, 'm'))
})

test('a rebuild is followed until readers get its views, which are the same', async () => {
  await spent('c', await buy('c', '7.00'))
  const before = await lifetimes().list()
  const { serving } = await lifetimes().describe()
  const rebuilt = await annals(['projection', 'rebuild', name, '--json'])
  expect(rebuilt).toMatchObject({ exitCode: 0 })
  const { generation } = rebuilt.json()
  expect(generation).not.toBe(serving)
  expect(await lifetimes().describe()).toMatchObject({ serving: generation })
  expect(await lifetimes().list()).toEqual(before)
  const shown = await annals(['projection', 'show', name])
  expect(shown.stdout).toMatch(new RegExp(`${String(generation)} +serving .* 100 %`))
})

test('a look at the past ends with its event and can be discarded', async () => {
  const then = formatPosition(await buy('d', '1.00'))
  await spent('d', await buy('d', '2.00'))
  const made = await annals(['projection', 'rebuild', name, '--until-position', then, '--json'])
  expect(made.json()).toMatchObject({ end: 'done', status: 'kept' })
  const generation = String(made.json()['generation'])
  const past = await annals(['projection', 'view', name, 'd', '--generation', generation, '--json'])
  expect(past.json()).toMatchObject({ view: { spend: '1.00' } })
  expect(await annals(['projection', 'discard', name, generation, '--yes'])).toMatchObject({ exitCode: 0 })
  await waitFor('the generation to be gone', async () => {
    const { generations } = await lifetimes().describe()
    return generations.every(({ id }) => id !== generation)
  })
})

test('a live subscriber receives all views first, then changes from a cursor on', async () => {
  await spent('e', await buy('e', '1.00'))
  const all = lifetimes().subscribe({ key: 'e' })
  const next = async (updates: typeof all) => (await updates.next()).value as ViewUpdate<Totals>
  const first = await next(all)
  expect(first).toMatchObject({ key: 'e', view: { spend: '1.00' } })
  await buy('e', '2.00')
  expect(await next(all)).toMatchObject({ key: 'e', view: { spend: '3.00' } })
  await all.return(undefined)
  const resumed = lifetimes().subscribe({ key: 'e', cursor: first.cursor })
  expect(await next(resumed)).toMatchObject({ view: { spend: '3.00' } })
  await resumed.return(undefined)
})

test('without failures nothing is parked or stopped', async () => {
  expect((await annals(['deadletters', 'list', name])).stdout).toBe(`No dead letters of ${name}\n`)
  expect((await annals(['deadletters', 'retry', name, '--json'])).json()).toMatchObject({ applied: 0 })
  expect((await annals(['projection', 'resume', name])).stdout).toBe(`No partition of ${name} was stopped\n`)
})
