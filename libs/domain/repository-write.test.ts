import { beforeEach, describe, expect, test } from 'vitest'

import { EventStoreError } from '#event-store'

import { AggregateRoot } from './aggregate-root.ts'
import { newEventId } from './event-id.ts'
import type { NewEvent } from './event.ts'
import { parseStreamId } from './stream-id.ts'
import { account, type AccountEvent, type AccountState, deposited, withdrawn } from './testing/account.ts'
import { accountsIn, answerLost, failing, type Fault, WatchedStore } from './testing/watched-store.ts'
import { noVersion } from './version.ts'

const stream = parseStreamId('account.1')
const deposit = (amount: number) => ({ type: 'Deposit', data: { amount } }) as const
const withdraw = (amount: number) => ({ type: 'Withdraw', data: { amount } }) as const

let store: WatchedStore

beforeEach(() => {
  store = new WatchedStore()
})

/** Another writer's append, behind the repository's back. */
const appendElsewhere = (...events: readonly AccountEvent[]) => store.inner.append(stream, events)

const appending =
  (...events: readonly AccountEvent[]): Fault =>
  () =>
    appendElsewhere(...events)

describe('saving', () => {
  const fresh = {
    streamId: stream,
    version: noVersion,
  }

  test('appends at the version that was loaded', async () => {
    const result = await accountsIn(store).save(fresh, [deposited(1), deposited(2)])
    expect(result).toMatchObject({ streamId: stream, firstVersion: 1, lastVersion: 2, duplicate: false })
  })

  test('gives metadata to every event; an event’s own goes first, as does its id', async () => {
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

  test('hears of a conflict at once', async () => {
    await appendElsewhere(deposited(1))
    await expect(accountsIn(store).save(fresh, [deposited(2)])).rejects.toMatchObject({
      code: 'wrong-expected-version',
    })
    expect(store.appended).toHaveLength(1)
    expect(store.calls).toEqual([])
  })

  test('sends the very same events again, with backoff, while the store says that this is safe', async () => {
    store.faults.push(
      failing(new EventStoreError('overloaded', 'the queue is full')),
      failing(new EventStoreError('unavailable', 'a take-over is under way')),
    )
    const repository = accountsIn(store)
    const result = await repository.save(fresh, [deposited(1), deposited(2)])
    expect(store.appended).toHaveLength(3)
    expect(store.appended[1]).toEqual(store.appended[0])
    expect(store.appended[2]).toEqual(store.appended[0])
    expect(result.eventIds).toEqual(store.appended[0]?.map(({ id }) => id))
    expect(repository.delaysMs).toEqual([5, 10])
  })

  test('gives up after a bounded number of tries, with the last error', async () => {
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
  ])('does not try again after %s', async (error) => {
    store.faults.push(failing(error))
    await expect(accountsIn(store).save(fresh, [deposited(1)])).rejects.toBe(error)
    expect(store.appended).toHaveLength(1)
  })

  test('settles an unknown outcome by sending again: the events are there once', async () => {
    store.faults.push(answerLost)
    const result = await accountsIn(store).save(fresh, [deposited(1)])
    expect(result).toMatchObject({ firstVersion: 1, lastVersion: 1, duplicate: true })
    expect(await store.inner.load(stream)).toMatchObject({ version: 1 })
  })

  describe('where the store no longer remembers the ids of its lost answer', () => {
    const forgotten: Fault = () =>
      Promise.reject(new EventStoreError('wrong-expected-version', 'the stream is at another version'))

    test('finds its own events in the stream: no conflict', async () => {
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

    test('also where others came after them', async () => {
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

    test('hears of the conflict where another’s events stand there', async () => {
      await appendElsewhere(deposited(7))
      store.faults.push(failing(new EventStoreError('outcome-unknown', 'the connection was cut')))
      await expect(accountsIn(store).save(fresh, [deposited(1)])).rejects.toMatchObject({
        code: 'wrong-expected-version',
      })
    })

    test('hears of the conflict where the stream ends before', async () => {
      await appendElsewhere(deposited(7))
      store.faults.push(failing(new EventStoreError('outcome-unknown', 'the connection was cut')))
      await expect(accountsIn(store).save(fresh, [deposited(1), deposited(2)])).rejects.toMatchObject({
        code: 'wrong-expected-version',
      })
    })
  })

  test('takes an AggregateRoot as it is', async () => {
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
  test('loads, decides and saves, and tells what came of it', async () => {
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

  test('appends nothing where the command changes nothing', async () => {
    const executed = await accountsIn(store).execute('1', { type: 'Close', data: { notesMax: 1 } })
    expect(executed).toEqual({ streamId: stream, version: 0, state: account.initialState, events: [] })
    expect(store.appended).toEqual([])
  })

  test('that the domain refuses appends nothing and is not tried again', async () => {
    const repository = accountsIn(store)
    await expect(repository.execute('1', withdraw(1))).rejects.toMatchObject({ code: 'overdrawn' })
    expect(store.appended).toEqual([])
    expect(repository.delaysMs).toEqual([])
  })

  test('decides anew after a conflict, seeing the other’s events, with fresh ids and backoff', async () => {
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

  test('refuses by what it sees after the conflict', async () => {
    const repository = accountsIn(store)
    await repository.execute('1', deposit(10))
    store.faults.push(appending(withdrawn(5)))
    await expect(repository.execute('1', withdraw(6))).rejects.toMatchObject({ code: 'overdrawn' })
  })

  test.each([
    [{}, 8],
    [{ retries: 2 }, 3],
    [{ retries: 0 }, 1],
  ])('gives up with the conflict, with options %j after %d tries', async (options, tries) => {
    store.faults.push(...Array.from({ length: 20 }, () => appending(deposited(1))))
    await expect(accountsIn(store).execute('1', deposit(1), options)).rejects.toMatchObject({
      code: 'wrong-expected-version',
    })
    expect(store.appended).toHaveLength(tries)
  })

  test('has its effect once when the answer is lost', async () => {
    store.faults.push(answerLost)
    const executed = await accountsIn(store).execute('1', deposit(10))
    expect(executed).toMatchObject({ version: 1, state: { balance: 10 } })
    expect(await accountsIn(store).load('1')).toMatchObject({ version: 1, state: { balance: 10 } })
  })

  test('by many at once counts each one', async () => {
    const repository = accountsIn(store, { retry: { triesMax: 100 } })
    await Promise.all(Array.from({ length: 50 }, () => repository.execute('1', deposit(1))))
    expect(await repository.load('1')).toMatchObject({
      version: 50,
      state: { balance: 50 },
    })
  })
})
