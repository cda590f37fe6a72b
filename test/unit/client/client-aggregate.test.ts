import { expect, test } from 'vitest'

import { defineAggregate, type DomainCommand, type DomainEvent, refuse, type StreamId } from '#domain'

import { testClient, testWriter } from '../../support/services/closing.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'

type Deposited = DomainEvent<'Deposited', { readonly cents: number }>
type Deposit = DomainCommand<'Deposit', { readonly cents: number }>

const account = defineAggregate<{ readonly cents: number }, Deposited, Deposit>({
  type: 'account',
  initialState: { cents: 0 },
  evolve: { Deposited: ({ cents }, { data }) => ({ cents: cents + data.cents }) },
  decide: {
    Deposit: ({ data }) => {
      if (data.cents < 1) refuse('nothing-deposited', 'a deposit must be at least one cent')
      return { type: 'Deposited', data }
    },
  },
})

const deposit = (cents: number): Deposit => ({ type: 'Deposit', data: { cents } })

test('an aggregate is executed, loaded and saved, typed by its definition', async () => {
  const { url } = await testWriter(new InMemoryWriter())
  const accounts = testClient({ url }).aggregate(account)
  await accounts.execute('a', deposit(5))
  const loaded = await accounts.load('a')
  await accounts.save(loaded, [{ type: 'Deposited', data: { cents: 7 } }])
  const { state, version } = await accounts.load('a')
  expect([state.cents, version]).toEqual([12, 2])
  await expect(accounts.execute('a', deposit(0))).rejects.toMatchObject({ code: 'nothing-deposited' })
})

test('concurrent commands on one aggregate are all executed, each on the newest state', async () => {
  const { url } = await testWriter(new InMemoryWriter())
  const callers = Array.from({ length: 10 }, () => testClient({ url }).aggregate(account))
  await Promise.all(callers.map((accounts, n) => accounts.execute('shared', deposit(n + 1))))
  expect(await callers[0]?.load('shared')).toMatchObject({ version: 10, state: { cents: 55 } })
})

test('events saved over a connection that breaks after the append are stored once', async () => {
  const api = new InMemoryWriter()
  let breaks = 1
  const { url } = await testWriter(api, {
    prepare: (app) =>
      app.addHook('onSend', (request, _reply, payload, done) => {
        if (request.url === '/appends' && breaks-- > 0) request.raw.socket.destroy()
        done(null, payload)
      }),
  })
  const { result } = await testClient({ url }).aggregate(account).execute('a', deposit(5))
  expect(api.requests).toHaveLength(2)
  expect((await api.store.read('account.a' as StreamId)).events.map(({ id }) => id)).toEqual(result?.eventIds)
})

test('the state of an aggregate: current, at a version and at a time', async () => {
  const api = new InMemoryWriter()
  const { url } = await testWriter(api)
  const client = testClient({ url })
  for (const cents of [1, 2, 3]) await client.append('account.a', [{ type: 'Deposited', data: { cents } }])
  const [, second] = (await client.read('account.a')).events
  expect((await client.stateOf(account, 'a')).version).toBe(3)
  expect(await client.state('account.a', { version: second?.version ?? (0 as never) })).toEqual({
    streamId: 'account.a',
    version: 2,
    state: ['Deposited', 'Deposited'],
  })
  expect((await client.state('account.a', { at: '2999-01-01T00:00:00Z' })).version).toBe(3)
  await expect(client.state('account.a', { at: '1999-01-01T00:00:00Z' })).rejects.toMatchObject({
    code: 'stream-not-found',
  })
  await expect(client.state('account.missing')).rejects.toMatchObject({ code: 'stream-not-found' })
})

test('a stream is iterated page by page, in both directions', async () => {
  const { url } = await testWriter(new InMemoryWriter())
  const client = testClient({ url })
  await client.append(
    'account.a',
    Array.from({ length: 25 }, (_, n) => ({ type: 'Deposited', data: { n } })),
  )
  const forwards = await Array.fromAsync(client.readAll('account.a', { limit: 10 }))
  const backwards = await Array.fromAsync(client.readAll('account.a', { limit: 10, direction: 'backwards' }))
  expect(forwards.map(({ version }) => version)).toEqual(Array.from({ length: 25 }, (_, n) => n + 1))
  expect(backwards).toEqual(forwards.toReversed())
})

test('a category is read page by page', async () => {
  const { url } = await testWriter(new InMemoryWriter())
  const client = testClient({ url })
  await client.append('account.a', [{ type: 'Deposited', data: { n: 1 } }])
  await client.append('account.b', [{ type: 'Deposited', data: { n: 2 } }])
  const first = await client.readCategory('account', { limit: 1 })
  const second = await client.readCategory('account', { cursor: first.cursor })
  expect([first, second].map(({ events, atEnd }) => [events[0]?.streamId, events.length, atEnd])).toEqual([
    ['account.a', 1, false],
    ['account.b', 1, true],
  ])
  expect(second.events[0]?.position).toMatchObject({ topic: 'eventstore.account', partition: 0 })
})
