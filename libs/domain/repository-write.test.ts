import { beforeEach, describe, expect, test } from 'vitest'

import { EventStoreError } from '#event-store'

import { AggregateRoot } from './aggregate-root.ts'
import { newEventId } from './event-id.ts'
import type { NewEvent } from './event.ts'
import { parseStreamId } from './stream-id.ts'
import { account, type AccountEvent, type AccountState, deposited, withdrawn } from './testing/account.ts'
import { accountsIn, answerLost, type AppendFault, failing, WatchedStore } from './testing/watched-store.ts'
import { noVersion } from './version.ts'

const stream = parseStreamId('account.1')
const deposit = (amount: number) => ({ type: 'Deposit', data: { amount } }) as const
const withdraw = (amount: number) => ({ type: 'Withdraw', data: { amount } }) as const

let store: WatchedStore

beforeEach(() => {
  store = new WatchedStore()
})

/** An append by another writer, unknown to the repository. */
const appendElsewhere = (...events: readonly AccountEvent[]) => store.inner.append(stream, events)

const appending =
  (...events: readonly AccountEvent[]): AppendFault =>
  () =>
    appendElsewhere(...events)

describe('saving', () => {
  const fresh = {
    streamId: stream,
    version: noVersion,
  }

  test('appends at the loaded version', async () => {
    const result = await accountsIn(store).save(fresh, [deposited(1), deposited(2)])
    expect(result).toMatchObject({ streamId: stream, firstVersion: 1, lastVersion: 2, duplicate: false })
  })

  test('adds metadata to every event; an event’s own metadata and id take precedence', async () => {
    const id = newEventId()
    const own: NewEvent<AccountEvent> = { ...deposited(1), id, metadata: { userId: 'u-own' } }
    await accountsIn(store).save(fresh, [own, deposited(2)], {
      metadata: { userId: 'u', correlationId: 'c' },
    })
    const { events } = await store.inner.read(stream)
    expect(events.map(({ metadata }) => metadata)).toEqual([
      { userId: 'u-own', correlationId: 'c' },
      { userId: 'u', correlationId: 'c' },
    ])
    expect(events[0]?.id).toBe(id)
  })

  test('reports a conflict without a retry', async () => {
    await appendElsewhere(deposited(1))
    await expect(accountsIn(store).save(fresh, [deposited(2)])).rejects.toMatchObject({
      code: 'wrong-expected-version',
    })
    expect(store.appended).toHaveLength(1)
    expect(store.calls).toEqual([])
  })

  test('sends the same events again, with backoff, while the store reports that this is safe', async () => {
    store.faults.push(
      failing(new EventStoreError('overloaded', 'the queue is full')),
      failing(new EventStoreError('unavailable', 'the partition is being taken over')),
    )
    const repository = accountsIn(store)
    const result = await repository.save(fresh, [deposited(1), deposited(2)])
    expect(store.appended).toHaveLength(3)
    expect(store.appended[1]).toEqual(store.appended[0])
    expect(store.appended[2]).toEqual(store.appended[0])
    expect(result.eventIds).toEqual(store.appended[0]?.map(({ id }) => id))
    expect(repository.delaysMs).toEqual([5, 10])
  })

  test('fails with the last error after a bounded number of tries', async () => {
    store.faults.push(
      ...Array.from({ length: 9 }, (_, n) => failing(new EventStoreError('overloaded', `full ${n}`))),
    )
    await expect(accountsIn(store, { retry: { triesMax: 3 } }).save(fresh, [deposited(1)])).rejects.toThrow(
      'full 2',
    )
    expect(store.appended).toHaveLength(3)
  })

  test.each([
    new EventStoreError('invalid-event', 'no such field'),
    new EventStoreError('internal', 'a fault'),
    new Error('of another kind'),
  ])('does not retry after %s', async (error) => {
    store.faults.push(failing(error))
    await expect(accountsIn(store).save(fresh, [deposited(1)])).rejects.toBe(error)
    expect(store.appended).toHaveLength(1)
  })

  test('resolves an unknown outcome by sending again: the events are stored once', async () => {
    store.faults.push(answerLost)
    const result = await accountsIn(store).save(fresh, [deposited(1)])
    expect(result).toMatchObject({ firstVersion: 1, lastVersion: 1, duplicate: true })
    expect(await store.inner.load(stream)).toMatchObject({ version: 1 })
  })

  describe('when the store no longer remembers the ids of a lost answer', () => {
    const forgotten: AppendFault = () =>
      Promise.reject(new EventStoreError('wrong-expected-version', 'the stream is at another version'))

    test('finds its own events in the stream and reports no conflict', async () => {
      store.faults.push(answerLost, forgotten)
      const result = await accountsIn(store).save(fresh, [deposited(1), deposited(2)])
      const { events } = await store.inner.read(stream)
      expect(result).toEqual({
        streamId: stream,
        firstVersion: 1,
        lastVersion: 2,
        position: events[1]?.position,
        eventIds: events.map(({ id }) => id),
        duplicate: true,
      })
    })

    test('finds them also when other events follow', async () => {
      store.faults.push(async (append) => {
        await append()
        await appendElsewhere(deposited(9))
        throw new EventStoreError('outcome-unknown', 'the connection was cut')
      }, forgotten)
      expect(await accountsIn(store).save(fresh, [deposited(1)])).toMatchObject({
        lastVersion: 1,
        duplicate: true,
      })
    })

    test('reports the conflict when other events are there', async () => {
      await appendElsewhere(deposited(7))
      store.faults.push(failing(new EventStoreError('outcome-unknown', 'the connection was cut')))
      await expect(accountsIn(store).save(fresh, [deposited(1)])).rejects.toMatchObject({
        code: 'wrong-expected-version',
      })
    })

    test('reports the conflict when the stream ends before', async () => {
      await appendElsewhere(deposited(7))
      store.faults.push(failing(new EventStoreError('outcome-unknown', 'the connection was cut')))
      await expect(accountsIn(store).save(fresh, [deposited(1), deposited(2)])).rejects.toMatchObject({
        code: 'wrong-expected-version',
      })
    })
  })

  test('accepts an AggregateRoot', async () => {
    class Account extends AggregateRoot<AccountState, AccountEvent> {
      deposit = (amount: number) => this.raise(deposited(amount))
    }
    const repository = accountsIn(store)
    const root = new Account(account, await repository.load('1'))
    for (const amount of [1, 2]) {
      root.deposit(amount)
      root.committed(await repository.save(root, root.uncommittedEvents))
    }
    expect(await repository.load('1')).toEqual({ streamId: stream, version: root.version, state: root.state })
    expect(root.version).toBe(2)
  })
})

describe('executing a command', () => {
  test('loads, decides and saves, and returns the result', async () => {
    const repository = accountsIn(store)
    const first = await repository.execute('1', deposit(10), { metadata: { userId: 'u' } })
    expect(first).toMatchObject({
      streamId: stream,
      version: 1,
      events: [deposited(10)],
      state: { balance: 10 },
    })
    expect(first.result).toMatchObject({ lastVersion: 1, duplicate: false })
    const second = await repository.execute('1', withdraw(4))
    expect(await repository.load('1')).toEqual({ streamId: stream, version: 2, state: second.state })
    expect((await store.inner.read(stream)).events[0]?.metadata).toEqual({ userId: 'u' })
  })

  test('appends nothing when the command changes nothing', async () => {
    const executed = await accountsIn(store).execute('1', { type: 'Close', data: { notesMax: 1 } })
    expect(executed).toEqual({ streamId: stream, version: 0, state: account.initialState, events: [] })
    expect(store.appended).toEqual([])
  })

  test('that the domain rejects appends nothing and is not retried', async () => {
    const repository = accountsIn(store)
    await expect(repository.execute('1', withdraw(1))).rejects.toMatchObject({ code: 'overdrawn' })
    expect(store.appended).toEqual([])
    expect(repository.delaysMs).toEqual([])
  })

  test('decides again after a conflict, on the new state, with new ids and backoff', async () => {
    const repository = accountsIn(store)
    await repository.execute('1', deposit(10))
    store.faults.push(appending(deposited(1)))
    const executed = await repository.execute('1', { type: 'Close', data: { notesMax: 1 } })
    expect(executed).toMatchObject({ version: 3, events: [withdrawn(11)], state: { balance: 0 } })
    const [, refused, accepted] = store.appended
    expect(refused?.[0]?.data).toEqual({ amount: 10 })
    expect(accepted?.[0]?.id).not.toBe(refused?.[0]?.id)
    expect(repository.delaysMs).toEqual([5])
  })

  test('can be rejected on the state after the conflict', async () => {
    const repository = accountsIn(store)
    await repository.execute('1', deposit(10))
    store.faults.push(appending(withdrawn(5)))
    await expect(repository.execute('1', withdraw(6))).rejects.toMatchObject({ code: 'overdrawn' })
  })

  test.each([
    [{}, 8],
    [{ retries: 2 }, 3],
    [{ retries: 0 }, 1],
  ])('fails with the conflict, with options %j after %d tries', async (options, tries) => {
    store.faults.push(...Array.from({ length: 20 }, () => appending(deposited(1))))
    await expect(accountsIn(store).execute('1', deposit(1), options)).rejects.toMatchObject({
      code: 'wrong-expected-version',
    })
    expect(store.appended).toHaveLength(tries)
  })

  test('takes effect once when the answer is lost', async () => {
    store.faults.push(answerLost)
    const executed = await accountsIn(store).execute('1', deposit(10))
    expect(executed).toMatchObject({ version: 1, state: { balance: 10 } })
    expect(await accountsIn(store).load('1')).toMatchObject({ version: 1, state: { balance: 10 } })
  })

  test('executes every one of many concurrent commands', async () => {
    const repository = accountsIn(store, { retry: { triesMax: 100 } })
    await Promise.all(Array.from({ length: 50 }, () => repository.execute('1', deposit(1))))
    expect(await repository.load('1')).toMatchObject({
      version: 50,
      state: { balance: 50 },
    })
  })
})
