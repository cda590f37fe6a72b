import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'

import { EventStoreError, InMemoryEventStore } from '#event-store'

import { fold } from './aggregate.ts'
import { AggregateRoot } from './aggregate-root.ts'
import type {
  AggregateStore,
  AppendOptions,
  LoadedStream,
  LoadOptions,
  ReadOptions,
} from './aggregate-store.ts'
import { newEventId } from './event-id.ts'
import type { NewEvent } from './event.ts'
import type { LoadedAggregate } from './loaded-aggregate.ts'
import { Repository, type RepositoryOptions } from './repository.ts'
import { parseStreamId, type StreamId } from './stream-id.ts'
import { account, type AccountEvent, type AccountState, deposited, someEvents, withdrawn } from './testing/account.ts' // prettier-ignore
import { noVersion, parseVersion, type Version, versionAfter } from './version.ts'

type Fault = (append: () => Promise<unknown>) => Promise<void>

/** The in-memory store, with an ear on what is asked of it, and faults that befall its next appends. */
class WatchedStore implements AggregateStore {
  readonly inner: InMemoryEventStore
  readonly calls: string[] = []
  readonly appended: (readonly NewEvent[])[] = []
  readonly faults: Fault[] = []

  constructor(eventsPerLoadMax = 1_000) {
    this.inner = new InMemoryEventStore({ eventsPerLoadMax })
  }

  async append(streamId: StreamId, events: readonly NewEvent[], options?: AppendOptions) {
    this.appended.push(events)
    const append = () => this.inner.append(streamId, events, options)
    await this.faults.shift()?.(append)
    return append()
  }

  load(streamId: StreamId, options: LoadOptions = {}): Promise<LoadedStream> {
    this.calls.push(`load ${options.stateVersion ?? 'without snapshot'}`)
    return this.inner.load(streamId, options)
  }

  read(streamId: StreamId, options: ReadOptions = {}) {
    this.calls.push(`read ${options.fromVersion ?? ''}-${options.toVersion ?? ''}`)
    return this.inner.read(streamId, options)
  }
}

const stream = parseStreamId('account.1')
const deposit = (amount: number) => ({ type: 'Deposit', data: { amount } }) as const
const withdraw = (amount: number) => ({ type: 'Withdraw', data: { amount } }) as const

const failing =
  (error: Error): Fault =>
  () =>
    Promise.reject(error)
/** The append is done, but its answer gets lost. */
const answerLost: Fault = async (append) => {
  await append()
  throw new EventStoreError('outcome-unknown', 'the connection was cut')
}

let store: WatchedStore
let delaysMs: number[]

beforeEach(() => {
  store = new WatchedStore()
  delaysMs = []
})

const repositoryOf = (from: AggregateStore = store, options: RepositoryOptions = {}) =>
  new Repository(from, account, {
    ...options,
    retry: {
      random: () => 0.5,
      sleep: (delayMs) => Promise.resolve(void delaysMs.push(delayMs)),
      ...options.retry,
    },
  })

/** Another writer's append, behind the repository's back. */
const appendElsewhere = (...events: readonly AccountEvent[]) => store.inner.append(stream, events)

const appending =
  (...events: readonly AccountEvent[]): Fault =>
  async () => {
    await appendElsewhere(...events)
  }

const saveSnapshot = (version: Version, state: AccountState, stateVersion = 3, streamId = stream) =>
  store.inner.saveSnapshot({ streamId, version, stateVersion, state, timestamp: '2026-01-01T00:00:00.000Z' })

describe('loading', () => {
  test('an aggregate that has no event yet gives its initial state at version 0', async () => {
    expect(await repositoryOf().load('1')).toEqual({
      streamId: stream,
      version: 0,
      state: account.initialState,
    })
  })

  test('refuses a malformed id', async () => {
    await expect(repositoryOf().load('a b')).rejects.toThrow(/^aggregate id "a b" is malformed/)
  })

  test('from a snapshot at any cut, and the tail in parts of any size, equals folding the whole stream', async () => {
    await fc.assert(
      fc.asyncProperty(someEvents, fc.integer({ min: 1, max: 7 }), async (events, eventsPerLoadMax) => {
        const whole = fold(account, events)
        for (let cut = 0; cut <= events.length; cut++) {
          store = new WatchedStore(eventsPerLoadMax)
          await appendElsewhere(...events)
          if (cut > 0) await saveSnapshot(parseVersion(cut), fold(account, events.slice(0, cut)))
          const loaded = await repositoryOf().load('1')
          expect(loaded).toEqual({ streamId: stream, version: events.length, state: whole })
        }
      }),
      { numRuns: 30 },
    )
  })

  test('takes the snapshot for what it says: a wrong state in it would show', async () => {
    await appendElsewhere(deposited(1), deposited(2))
    await saveSnapshot(parseVersion(1), { balance: 1_000, checksum: 0 })
    expect((await repositoryOf().load('1')).state.balance).toBe(1_002)
    expect(store.calls).toEqual(['load 3'])
  })

  test('a second time asks only for what came after, and sees it', async () => {
    const repository = repositoryOf()
    await appendElsewhere(deposited(1), deposited(2))
    await repository.load('1')
    expect(await repository.load('1')).toMatchObject({ version: 2, state: { balance: 3 } })
    await appendElsewhere(deposited(4))
    expect(await repository.load('1')).toMatchObject({ version: 3, state: { balance: 7 } })
    expect(store.calls).toEqual(['load 3', 'read 3-', 'read 3-'])
  })

  test('forgets the least recently used aggregates when there are more than the cache holds', async () => {
    const repository = repositoryOf(store, { cachedMax: 2 })
    for (const id of ['1', '2', '3']) await store.inner.append(parseStreamId(`account.${id}`), [deposited(1)])
    for (const id of ['1', '2', '3', '2', '1']) await repository.load(id)
    expect(store.calls).toEqual(['load 3', 'load 3', 'load 3', 'read 2-', 'load 3'])
  })

  test('starts anew when the store stands before what is remembered: it is another log', async () => {
    await appendElsewhere(deposited(1), deposited(2))
    const old = store.inner
    const replaced: AggregateStore = {
      append: (...given) => store.append(...given),
      load: (...given) => store.load(...given),
      read: (...given) => store.read(...given),
    }
    const repository = repositoryOf(replaced)
    await repository.load('1')
    store = new WatchedStore()
    await appendElsewhere(deposited(50))
    expect(store.inner).not.toBe(old)
    expect(await repository.load('1')).toMatchObject({ version: 1, state: { balance: 50 } })
  })

  test('fails clearly when the store withholds events that it says there are', async () => {
    const withholding: AggregateStore = {
      append: (...given) => store.append(...given),
      load: async (...given) => ({ ...(await store.load(...given)), version: parseVersion(2) }),
      read: (...given) => store.read(...given),
    }
    await appendElsewhere(deposited(1))
    await expect(repositoryOf(withholding).load('1')).rejects.toThrow(
      'the store says that account.1 stands at version 2, but returned no events from version 2',
    )
  })

  test('fails clearly on a stream with a gap', async () => {
    await appendElsewhere(deposited(1), deposited(2))
    const gapped: AggregateStore = {
      append: (...given) => store.append(...given),
      read: (...given) => store.read(...given),
      load: async (...given) => {
        const loaded = await store.load(...given)
        return { ...loaded, events: loaded.events.slice(1) }
      },
    }
    await expect(repositoryOf(gapped).load('1')).rejects.toThrow(
      'sequence is broken: events[0] of stream account.1 has version 2, expected 1',
    )
  })
})

describe('a bad snapshot is ignored, reported, and the stream read from its start:', () => {
  const right = {
    streamId: stream,
    version: parseVersion(1),
    stateVersion: 3,
    state: { balance: 1, checksum: 2 },
  }

  test.each([
    ['of another stream', { streamId: parseStreamId('account.2') }, 'it belongs to stream account.2'],
    ['of an older state version', { stateVersion: 2 }, 'it has state version 2, expected 3'],
    ['of a newer state version', { stateVersion: 4 }, 'it has state version 4, expected 3'],
    [
      'beyond the stream',
      { version: parseVersion(3) },
      'it was taken at version 3, but the stream stands at 2',
    ],
  ])('%s', async (_, wrong, fault) => {
    await appendElsewhere(deposited(1), deposited(2))
    const lying: AggregateStore = {
      append: (...given) => store.append(...given),
      read: (...given) => store.read(...given),
      load: async (streamId, options) => {
        const loaded = await store.load(streamId, options)
        const snapshot = { ...right, timestamp: '2026-01-01T00:00:00.000Z', ...wrong }
        return options?.stateVersion === undefined
          ? loaded
          : { version: loaded.version, snapshot, events: [] }
      },
    }
    const faults: unknown[] = []
    const repository = repositoryOf(lying, { onBadSnapshot: (...reported) => faults.push(reported) })
    expect(await repository.load('1')).toMatchObject({ version: 2, state: { balance: 3 } })
    expect(faults).toEqual([[stream, fault]])
    expect(store.calls).toEqual(['load 3', 'load without snapshot'])
    expect(await repositoryOf(lying).load('1')).toMatchObject({ version: 2 })
  })

  test('one taken just at the stream’s version is good', async () => {
    await appendElsewhere(deposited(1), deposited(2))
    await saveSnapshot(parseVersion(2), { balance: 3, checksum: 0 })
    const faults: unknown[] = []
    const repository = repositoryOf(store, { onBadSnapshot: (...reported) => faults.push(reported) })
    expect(await repository.load('1')).toMatchObject({ version: 2, state: { balance: 3, checksum: 0 } })
    expect(faults).toEqual([])
  })
})

describe('saving', () => {
  const fresh: Pick<LoadedAggregate<AccountState>, 'streamId' | 'version'> = {
    streamId: stream,
    version: noVersion,
  }

  test('appends at the version that was loaded', async () => {
    const result = await repositoryOf().save(fresh, [deposited(1), deposited(2)])
    expect(result).toMatchObject({ streamId: stream, firstVersion: 1, lastVersion: 2, duplicate: false })
  })

  test('gives metadata to every event; an event’s own goes first, as does its id', async () => {
    const id = newEventId()
    const own: NewEvent<AccountEvent> = { ...deposited(1), id, metadata: { userId: 'u-own' } }
    await repositoryOf().save(fresh, [own, deposited(2)], { metadata: { userId: 'u', correlationId: 'c' } })
    const { events } = await store.inner.read(stream)
    expect(events.map(({ metadata }) => metadata)).toEqual([
      { userId: 'u-own', correlationId: 'c' },
      { userId: 'u', correlationId: 'c' },
    ])
    expect(events[0]?.id).toBe(id)
  })

  test('hears of a conflict at once', async () => {
    await appendElsewhere(deposited(1))
    await expect(repositoryOf().save(fresh, [deposited(2)])).rejects.toMatchObject({
      code: 'wrong-expected-version',
    })
    expect(store.appended).toHaveLength(1)
  })

  test('sends the very same events again, with backoff, while the store says that this is safe', async () => {
    store.faults.push(
      failing(new EventStoreError('overloaded', 'the queue is full')),
      failing(new EventStoreError('unavailable', 'a take-over is under way')),
    )
    const result = await repositoryOf().save(fresh, [deposited(1), deposited(2)])
    expect(store.appended).toHaveLength(3)
    expect(store.appended[1]).toEqual(store.appended[0])
    expect(store.appended[2]).toEqual(store.appended[0])
    expect(result.eventIds).toEqual(store.appended[0]?.map(({ id }) => id))
    expect(delaysMs).toEqual([5, 10])
  })

  test('gives up after a bounded number of tries, with the last error', async () => {
    store.faults.push(
      ...Array.from({ length: 9 }, (_, n) => failing(new EventStoreError('overloaded', `full ${n}`))),
    )
    await expect(repositoryOf(store, { retry: { triesMax: 3 } }).save(fresh, [deposited(1)])).rejects.toThrow(
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
    await expect(repositoryOf().save(fresh, [deposited(1)])).rejects.toBe(error)
    expect(store.appended).toHaveLength(1)
  })

  test('settles an unknown outcome by sending again: the events are there once', async () => {
    store.faults.push(answerLost)
    const result = await repositoryOf().save(fresh, [deposited(1)])
    expect(result).toMatchObject({ firstVersion: 1, lastVersion: 1, duplicate: true })
    expect(await store.inner.load(stream)).toMatchObject({ version: 1 })
  })

  describe('where the store no longer remembers the ids of its lost answer', () => {
    const forgotten: Fault = () =>
      Promise.reject(new EventStoreError('wrong-expected-version', 'the stream is at another version'))

    test('finds its own events in the stream: no conflict', async () => {
      store.faults.push(answerLost, forgotten)
      const result = await repositoryOf().save(fresh, [deposited(1), deposited(2)])
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
      expect(await repositoryOf().save(fresh, [deposited(1)])).toMatchObject({
        lastVersion: 1,
        duplicate: true,
      })
    })

    test('hears of the conflict where another’s events stand there', async () => {
      await appendElsewhere(deposited(7))
      store.faults.push(failing(new EventStoreError('outcome-unknown', 'the connection was cut')))
      await expect(repositoryOf().save(fresh, [deposited(1)])).rejects.toMatchObject({
        code: 'wrong-expected-version',
      })
    })

    test('hears of the conflict where the stream ends before', async () => {
      await appendElsewhere(deposited(7))
      store.faults.push(failing(new EventStoreError('outcome-unknown', 'the connection was cut')))
      await expect(repositoryOf().save(fresh, [deposited(1), deposited(2)])).rejects.toMatchObject({
        code: 'wrong-expected-version',
      })
    })
  })

  test('takes an AggregateRoot as it is', async () => {
    class Account extends AggregateRoot<AccountState, AccountEvent> {
      deposit = (amount: number) => this.raise(deposited(amount))
    }
    const repository = repositoryOf()
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
    const repository = repositoryOf()
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
    const executed = await repositoryOf().execute('1', { type: 'Close', data: { notesMax: 1 } })
    expect(executed).toEqual({ streamId: stream, version: 0, state: account.initialState, events: [] })
    expect(store.appended).toEqual([])
  })

  test('that the domain refuses appends nothing and is not tried again', async () => {
    await expect(repositoryOf().execute('1', withdraw(1))).rejects.toMatchObject({ code: 'overdrawn' })
    expect(store.appended).toEqual([])
    expect(delaysMs).toEqual([])
  })

  test('decides anew after a conflict, seeing the other’s events, with fresh ids and backoff', async () => {
    const repository = repositoryOf()
    await repository.execute('1', deposit(10))
    store.faults.push(appending(deposited(1)))
    const executed = await repository.execute('1', { type: 'Close', data: { notesMax: 1 } })
    expect(executed).toMatchObject({ version: 3, events: [withdrawn(11)], state: { balance: 0 } })
    const [, refused, accepted] = store.appended
    expect(refused?.[0]?.data).toEqual({ amount: 10 })
    expect(accepted?.[0]?.id).not.toBe(refused?.[0]?.id)
    expect(delaysMs).toEqual([5])
  })

  test('refuses by what it sees after the conflict', async () => {
    const repository = repositoryOf()
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
    await expect(repositoryOf().execute('1', deposit(1), options)).rejects.toMatchObject({
      code: 'wrong-expected-version',
    })
    expect(store.appended).toHaveLength(tries)
  })

  test('has its effect once when the answer is lost', async () => {
    store.faults.push(answerLost)
    const executed = await repositoryOf().execute('1', deposit(10))
    expect(executed).toMatchObject({ version: 1, state: { balance: 10 } })
    expect(await repositoryOf().load('1')).toMatchObject({ version: 1, state: { balance: 10 } })
  })

  test('by many at once counts each one', async () => {
    const repository = repositoryOf(store, { retry: { triesMax: 100 } })
    await Promise.all(Array.from({ length: 50 }, () => repository.execute('1', deposit(1))))
    expect(await repository.load('1')).toMatchObject({
      version: versionAfter(noVersion, 50),
      state: { balance: 50 },
    })
  })
})
