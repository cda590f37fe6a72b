import { describe, expect, onTestFinished, test } from 'vitest'

import { viewStoreContract } from '#projections/testing'
import { type ViewChange, type ViewCommit, type ViewSet, ViewStoreUnavailableError } from '#projections'
import { PostgresViewStore } from '#projections-postgres'
import { PlainSql } from '#projections-postgres/testing'

import { uniqueName, waitFor } from '../../support/stack/stack.ts'
import { postgresForFile } from '../../support/projections/test-postgres.ts'

const postgres = await postgresForFile()

viewStoreContract('PostgreSQL', ({ now }) => ({
  store: PostgresViewStore.open({ url: postgres.url, schema: 'contract', now }),
  loseAll: async () => {
    await using sql = await PlainSql.open(postgres.url)
    await sql.rows('DROP SCHEMA contract CASCADE')
  },
}))

const open = (timeoutMs?: number, url = postgres.url): PostgresViewStore => {
  const store = PostgresViewStore.open({ url, ...(timeoutMs !== undefined && { timeoutMs }) })
  onTestFinished(() => store.close())
  return store
}

const source = { topic: 'eventstore.order', partition: 0 }

const change = (key: string, json: unknown, more: Partial<ViewChange> = {}): ViewChange => ({
  key,
  expected: 0,
  json: JSON.stringify(json),
  indexes: {},
  changedAtMs: Date.parse('2026-01-31T12:00:00.123Z'),
  ...more,
})

const step = (from: number | undefined, changes: readonly ViewChange[]): ViewCommit => ({
  source,
  from,
  to: (from ?? 0) + 1,
  changes,
  parked: [],
})

async function generation(
  store: PostgresViewStore,
  { projection, generation: id }: ViewSet,
  indexNames = projection.indexNames,
): Promise<void> {
  await store.prepare()
  const topicIds = { [source.topic]: 'kc1bZ2XqTlGtyzmFpIbDsg' }
  const added = { id, viewVersion: 1, indexNames, createdAtMs: 1, topicIds, range: {} }
  expect(await store.generations.add(projection, added)).toBe(true)
}

/** A serving generation `g1` of a fresh projection. */
async function serving(store: PostgresViewStore, indexNames: readonly string[] = []): Promise<ViewSet> {
  const set = { projection: { name: uniqueName('sales'), indexNames }, generation: 'g1' }
  await generation(store, set)
  return set
}

const readable = ({ projection }: ViewSet): string => `annals.${projection.name.replaceAll('-', '_')}`

describe('two stores on the same database', () => {
  test('compete for a step, and one of them commits it', async () => {
    const stores = [open(), open()]
    const set = await serving(open())
    for (let from = 0; from < 20; from += 1) {
      const outcomes = await Promise.all(
        stores.map(async (store, n) => {
          const expected = (await store.views.read(set, ['total'])).get('total')?.revision ?? 0
          return store.views.commit(
            set,
            step(from === 0 ? undefined : from, [change('total', n, { expected })]),
          )
        }),
      )
      expect(outcomes.sort()).toEqual(['checkpoint-moved', 'committed'])
    }
  })

  test('create the schema and its tables concurrently', async () => {
    const schema = uniqueName('schema')
    const stores = Array.from({ length: 6 }, () => PostgresViewStore.open({ url: postgres.url, schema }))
    onTestFinished(async () => {
      await Promise.all(stores.map((store) => store.close()))
    })
    await Promise.all(stores.map((store) => store.prepare()))
    expect(await stores[0]?.generations.list({ name: 'sales', indexNames: [] })).toEqual([])
  })
})

test('a view that a step is changing stays unpublished without a wait', async () => {
  const store = open()
  const set = await serving(store)
  await store.views.commit(set, step(undefined, [change('a', 1), change('b', 1)]))
  const published = await store.outbox.unpublished(set, 10)
  await using sql = await PlainSql.open(postgres.url)
  const [row] = await sql.rows(
    `SELECT views_table AS name FROM annals._generations WHERE projection = '${set.projection.name}'`,
  )
  const marks = (row as { name: string }).name.replace('_views_', '_unpublished_')
  await sql.rows(`BEGIN; UPDATE ${marks} SET revision = revision + 1 WHERE key = 'a'`)
  await store.outbox.markPublished(set, published)
  await sql.rows('COMMIT')
  expect((await store.outbox.unpublished(set, 10)).map(({ key }) => key)).toEqual(['a'])
})

describe('people', () => {
  test('find the serving generation’s views under the projection’s name', async () => {
    const store = open()
    const old = await serving(store, ['spend', 'Last seen'])
    const figures = { spend: 12.5, 'Last seen': 3 }
    await store.views.commit(old, step(undefined, [change('a', { city: 'Utrecht' }, { indexes: figures })]))
    await using sql = await PlainSql.open(postgres.url)
    const changed_at = new Date('2026-01-31T12:00:00.123Z')
    expect(await sql.rows(`SELECT * FROM ${readable(old)} WHERE view ->> 'city' = 'Utrecht'`)).toEqual([
      { key: 'a', view: { city: 'Utrecht' }, changed_at, spend: 12.5, 'Last seen': 3 },
    ])

    const next = { projection: { ...old.projection, indexNames: ['spend', 'visits'] }, generation: 'g2' }
    await generation(store, next)
    await store.views.commit(next, step(undefined, [change('b', 7, { indexes: { spend: 1, visits: 2 } })]))
    expect(await sql.rows(`SELECT key FROM ${readable(old)}`)).toEqual([{ key: 'a' }])
    // Views that people built on it do not keep another generation from serving.
    await sql.rows(
      `CREATE VIEW public.${old.projection.name.replaceAll('-', '_')} AS SELECT * FROM ${readable(old)}`,
    )
    expect(await store.generations.switchTo(next, 1000)).toBe('switched')
    expect(await sql.rows(`SELECT * FROM ${readable(old)}`)).toEqual([
      { key: 'b', view: 7, changed_at, spend: 1, 'Last seen': null, visits: 2 },
    ])
    expect(await store.generations.discard(old, 100)).toBe(true)
  })

  test('do not see expired views', async () => {
    const store = open()
    const set = await serving(store)
    const [past, future] = [{ expiresAtMs: Date.now() - 1 }, { expiresAtMs: Date.now() + 600_000 }]
    await store.views.commit(
      set,
      step(undefined, [change('a', 1, past), change('b', 2, future), change('c', 3)]),
    )
    await using sql = await PlainSql.open(postgres.url)
    expect(await sql.rows(`SELECT key FROM ${readable(set)} ORDER BY key`)).toEqual([
      { key: 'b' },
      { key: 'c' },
    ])
  })

  test('with long reads postpone a switch and delay steps only briefly', async () => {
    const timeoutMs = 10_000
    const store = open(timeoutMs)
    const set = await serving(store)
    const next = { ...set, generation: 'g2' }
    await generation(store, next)
    await using sql = await PlainSql.open(postgres.url)
    await sql.rows(`BEGIN; SELECT * FROM ${readable(set)}`)
    const begunAt = performance.now()
    await expect(store.generations.switchTo(next, 0)).rejects.toThrow(ViewStoreUnavailableError)
    // Steps queue behind it for this long.
    expect(performance.now() - begunAt).toBeLessThan(timeoutMs / 2)
    expect(await store.views.commit(set, step(undefined, [change('a', 1)]))).toBe('committed')
    await sql.rows('COMMIT')
    expect(await store.views.commit(next, step(undefined, [change('a', 1)]))).toBe('committed')
    expect(await store.generations.switchTo(next, 0)).toBe('switched')
  })

  test('may name a projection like the store’s own tables', async () => {
    const store = open()
    for (const name of ['generations', 'checkpoints', 'parked', 'stops', 'revisions', 'order', 'user']) {
      const set = { projection: { name, indexNames: ['key', 'view', 'ctid', 'figure_1'] }, generation: 'g1' }
      await generation(store, set)
      const indexes = { key: 1, view: 2, ctid: 3, figure_1: 4 }
      expect(await store.views.commit(set, step(undefined, [change('a', 1, { indexes })]))).toBe('committed')
      await using sql = await PlainSql.open(postgres.url)
      const figures = { figure_1: 4, figure_2: 1, figure_3: 2, figure_4: 3 }
      expect(await sql.rows(`SELECT * FROM annals.${name}`)).toMatchObject([
        { key: 'a', view: 1, ...figures },
      ])
    }
  })
})

describe('a store whose database', () => {
  test('stops is unavailable, names the address without the password, and continues when it is back', async () => {
    const store = open(undefined, postgres.url.replace('annals@', 'annals:geheim@'))
    const set = await serving(store)
    expect(await store.views.commit(set, step(undefined, [change('a', 1)]))).toBe('committed')
    await postgres.stop()
    const failure: unknown = await store.views.read(set, ['a']).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ViewStoreUnavailableError)
    expect(String(failure)).toMatch(/PostgreSQL at 127\.0\.0\.1:\d+\/postgres: /)
    expect(String(failure)).not.toContain('geheim')
    await expect(store.views.commit(set, step(1, []))).rejects.toThrow(ViewStoreUnavailableError)
    await postgres.restart()
    expect((await store.views.read(set, ['a'])).get('a')).toMatchObject({ json: '1' })
    expect(await store.views.commit(set, step(1, []))).toBe('committed')
  })

  test('denies it necessary rights is unavailable and reports why', async () => {
    await using sql = await PlainSql.open(postgres.url)
    await sql.rows('CREATE ROLE guest LOGIN')
    const url = postgres.url.replace('annals@', 'guest@')
    const store = PostgresViewStore.open({ url, schema: uniqueName('schema') })
    onTestFinished(() => store.close())
    const failure: unknown = await store.prepare().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ViewStoreUnavailableError)
    expect(String(failure)).toMatch(/PostgreSQL at .*: permission denied for database postgres/)
  })

  test('is killed under traffic has committed each step completely or not at all', async () => {
    const store = open()
    const set = await serving(store)
    let acknowledged = 0
    const writing = (async () => {
      for (let from = 0; ; from += 1) {
        const changes = [change(`a${from}`, from), change(`b${from}`, from)]
        expect(await store.views.commit(set, step(from === 0 ? undefined : from, changes))).toBe('committed')
        acknowledged = from + 1
      }
    })()
    const ending = expect(writing).rejects.toThrow(ViewStoreUnavailableError)
    await waitFor('twenty steps', () => Promise.resolve(acknowledged >= 20))
    postgres.kill('SIGKILL')
    await ending
    await postgres.stop()
    await postgres.restart()
    const [state] = await waitFor('recovery', () => store.generations.list(set.projection))
    const checkpoint = state?.checkpoints.get('eventstore.order:0') ?? 0
    expect(checkpoint).toBeGreaterThanOrEqual(acknowledged)
    expect(state).toMatchObject({ views: 2 * checkpoint, unpublished: 2 * checkpoint })
    expect(await store.outbox.unpublished(set, 10_000)).toHaveLength(2 * checkpoint)
  })

  test('does not answer times out, and works again once it wakes up', async () => {
    const store = open(500)
    postgres.kill('SIGSTOP')
    await expect(store.prepare()).rejects.toThrow(ViewStoreUnavailableError)
    postgres.kill('SIGCONT')
    await waitFor('it to answer', () => store.prepare().then(() => true))
  })

  test('is locked by another session is unavailable until it is unlocked', async () => {
    const [patient, store] = [open(), open(1000)]
    const set = await serving(patient)
    expect(await patient.views.commit(set, step(undefined, [change('a', 1)]))).toBe('committed')
    await using sql = await PlainSql.open(postgres.url)
    await sql.rows(`BEGIN; SELECT * FROM annals._checkpoints FOR UPDATE`)
    await expect(store.views.commit(set, step(1, []))).rejects.toThrow(ViewStoreUnavailableError)
    await sql.rows('COMMIT')
    expect(await store.views.commit(set, step(1, []))).toBe('committed')
  })

  test('waits for a process frozen in a transaction waits only half as long as other sessions do', async () => {
    const store = open(3000)
    const set = await serving(open())
    await atCheckpoints(
      set,
      `RAISE '%', array(SELECT current_setting(name || '_timeout')
         FROM unnest('{lock,statement,idle_in_transaction_session}'::text[]) AS name) USING ERRCODE = '53000'`,
    )
    await expect(store.views.commit(set, step(undefined, []))).rejects.toThrow('{3s,3s,1500ms}')
  })
})

describe('a transaction that PostgreSQL rolls back in favour of another one', () => {
  const failAsDeadlock = (times: number) => `
    IF nextval('tries') <= ${times} THEN RAISE 'deadlock' USING ERRCODE = '40P01'; END IF`

  test('is retried', async () => {
    const store = open()
    const set = await serving(store)
    await atCheckpoints(set, failAsDeadlock(3))
    expect(await store.views.commit(set, step(undefined, [change('a', 1)]))).toBe('committed')
    expect((await store.generations.list(set.projection))[0]).toMatchObject({ views: 1, unpublished: 1 })
  })

  test('is given up after repeated rollbacks', async () => {
    const store = open()
    const set = await serving(store)
    await atCheckpoints(set, failAsDeadlock(1000))
    await expect(store.views.commit(set, step(undefined, []))).rejects.toThrow(ViewStoreUnavailableError)
  })
})

/** Makes PostgreSQL run statements within each step of a projection. */
async function atCheckpoints({ projection }: ViewSet, statements: string): Promise<void> {
  const name = projection.name.replaceAll('-', '_')
  await using sql = await PlainSql.open(postgres.url)
  await sql.rows(`
    DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries;
    CREATE FUNCTION at_${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${statements}; RETURN new; END $$;
    CREATE TRIGGER at_${name} BEFORE INSERT ON annals._checkpoints
    FOR EACH ROW WHEN (new.projection = '${projection.name}') EXECUTE FUNCTION at_${name}()`)
}
