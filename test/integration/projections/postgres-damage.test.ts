import { describe, expect, onTestFinished, test } from 'vitest'

import { project, type Projection } from '#domain'
import type { ViewStore } from '#projections'
import {
  allViews,
  balances,
  entered,
  InMemoryFeed,
  ledger,
  ledgers,
  ProjectorInstance,
} from '#projections/testing'
import { PostgresViewStore } from '#projections-postgres'
import { PlainSql } from '#projections-postgres/testing'

import { discardRetired } from '../../../services/projector/changelog/housekeeping.ts'
import { uniqueName, waitFor } from '../../support/stack/stack.ts'
import { postgresForFile } from '../../support/projections/test-postgres.ts'

const postgres = await postgresForFile()

const sources = ledgers(3)

/** A table of a projection: its views, its unpublished keys, or a shared table. */
type Table = 'views' | 'unpublished' | '_generations' | '_checkpoints' | '_parked' | '_stops'

/** Damage to the tables as SQL; `generation` is the damaged one. */
interface Harm {
  readonly name: string
  readonly sql: (tableOf: (table: Table) => string, schema: string) => string
}

const drop = (table: Table): Harm => ({
  name: `${table} is dropped`,
  sql: (tableOf) => `DROP TABLE ${tableOf(table)} CASCADE`,
})
const truncate = (table: Table): Harm => ({
  name: `${table} is truncated`,
  sql: (tableOf) => `TRUNCATE ${tableOf(table)}`,
})
const without = (table: Table, column: string): Harm => ({
  name: `${table} loses ${column}`,
  sql: (tableOf) => `ALTER TABLE ${tableOf(table)} DROP COLUMN ${column} CASCADE`,
})

const ownColumns = ['key', 'view', 'exact', 'revision', 'changed_at', 'expires_at', 'balance']
const tables: readonly Table[] = ['views', 'unpublished', '_generations', '_checkpoints', '_parked', '_stops']
const columns: Readonly<Partial<Record<Table, readonly string[]>>> = {
  views: ownColumns,
  unpublished: ['key', 'revision', 'changed_at'],
  _generations: ['projection', 'status', 'definition', 'views_table', 'views', 'damage'],
  _checkpoints: ['generation', 'next_offset', 'views'],
  _parked: ['event_offset', 'error'],
  _stops: ['partition', 'stopped_at'],
}

const columnHarms = tables.flatMap((table) => (columns[table] ?? []).map((column) => without(table, column)))
const tableHarms: readonly Harm[] = [
  ...tables.map(drop),
  ...tables.map(truncate),
  {
    name: 'both tables of the generation are dropped',
    sql: (of) => `DROP TABLE ${of('views')}, ${of('unpublished')} CASCADE`,
  },
  {
    name: 'checkpoints and views are truncated',
    sql: (of) => `TRUNCATE ${of('_checkpoints')}, ${of('views')}`,
  },
  { name: 'the sequence is dropped', sql: (_, schema) => `DROP SEQUENCE ${schema}._revisions` },
  { name: 'the schema is dropped', sql: (_, schema) => `DROP SCHEMA ${schema} CASCADE` },
]

async function started(projection: Projection, schema: string) {
  const feed = new InMemoryFeed({ chunkEventsMax: 50 })
  const store = PostgresViewStore.open({ url: postgres.url, schema })
  const sql = await PlainSql.open(postgres.url)
  const instance = await ProjectorInstance.start({ projection, feed, store, sources })
  const keeping = new AbortController()
  const kept = keepHouse(store, projection, keeping.signal)
  let appended = 0
  const append = (count: number): void => {
    for (let n = 0; n < count; n += 1, appended += 1)
      feed.append(ledger(appended % 3), entered(`${appended % 3}-${appended % 7}`, appended))
  }
  onTestFinished(async () => {
    keeping.abort()
    await kept
    await instance.stop()
    await store.close()
    await sql[Symbol.asyncDispose]()
  })
  return { feed, store, sql, instance, append }
}

/** Discards retired generations, as the projector does. */
async function keepHouse(store: ViewStore, projection: Projection, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await store.generations
      .list(projection)
      .then((states) => discardRetired(store.generations, projection, states))
      .catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function expectSound(
  { store, feed, sql }: Awaited<ReturnType<typeof started>>,
  projection: Projection,
  schema: string,
): Promise<void> {
  const expected = () => Object.fromEntries(project(projection, new Map(), feed.events))
  await waitFor('views equal to the log’s in one sound generation', async () => {
    const states = await store.generations.list(projection)
    expect(states.map(({ status, damage }) => ({ status, damage }))).toEqual([
      { status: 'serving', damage: undefined },
    ])
    expect(await allViews(store, projection)).toEqual(expected())
    return true
  })
  // Other generations leave nothing behind, and the SQL view shows the same.
  const left = (await sql.rows(
    `SELECT relname FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relname ~ '^_(views|unpublished)_' AND relkind = 'r'`,
  )) as { relname: string }[]
  expect(left).toHaveLength(2)
  const shown = (await sql.rows(`SELECT key, view FROM ${schema}.${projection.name}`)) as {
    key: string
    view: unknown
  }[]
  expect(Object.fromEntries(shown.map(({ key, view }) => [key, view]))).toEqual(expected())
}

async function harm(
  { sql }: Awaited<ReturnType<typeof started>>,
  schema: string,
  generation: string,
  { sql: text }: Harm,
): Promise<void> {
  const [row] = (await sql.rows(
    `SELECT views_table FROM ${schema}._generations WHERE generation = '${generation}'`,
  )) as { views_table: string }[]
  const views = row?.views_table ?? ''
  expect(views).toContain('_views_')
  await sql.rows(
    text((table) => {
      if (table === 'views') return views
      return table === 'unpublished' ? views.replace('"_views_', '"_unpublished_') : `${schema}.${table}`
    }, schema),
  )
}

/** A projection with sixty events applied. */
async function withViews() {
  const projection = balances()
  const schema = uniqueName('harm').replaceAll('-', '_')
  const given = await started(projection, schema)
  given.append(60)
  await expectSound(given, projection, schema)
  return { projection, schema, given }
}

describe.each([...tableHarms, ...columnHarms])('when $name', (each) => {
  test('of the serving generation under appends, views are rebuilt and no event counts twice', async () => {
    const { projection, schema, given } = await withViews()
    const [serving] = await given.store.generations.list(projection)
    expect(serving?.damage).toBeUndefined()
    const appending = setInterval(() => given.append(3), 2)
    await harm(given, schema, serving?.id ?? '', each)
    await new Promise((resolve) => setTimeout(resolve, 50))
    clearInterval(appending)
    given.append(30)
    await expectSound(given, projection, schema)
  })
})

describe.each(tableHarms)('when $name', (each) => {
  test('of a building generation, the build starts over', async () => {
    const { projection, schema, given } = await withViews()
    // A partition that is not applied keeps it from taking over.
    await given.instance.runner.revoke([ledger(2)])
    const id = await given.instance.runner.rebuild()
    await harm(given, schema, id, each)
    await new Promise((resolve) => setTimeout(resolve, 20))
    given.instance.runner.assign([ledger(2)])
    given.append(30)
    await expectSound(given, projection, schema)
  })
})
