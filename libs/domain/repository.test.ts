import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'

import { fold } from './aggregate.ts'
import type { AggregateStore } from './aggregate-store.ts'
import { parseStreamId } from './stream-id.ts'
import { account, type AccountEvent, type AccountState, deposited, someEvents } from './testing/account.ts'
import { accountsIn, WatchedStore } from './testing/watched-store.ts'
import { parseVersion, type Version } from './version.ts'

const stream = parseStreamId('account.1')

let store: WatchedStore

beforeEach(() => {
  store = new WatchedStore()
})

/** An append by another writer, unknown to the repository. */
const appendElsewhere = (...events: readonly AccountEvent[]) => store.inner.append(stream, events)

const saveSnapshot = (version: Version, state: AccountState) =>
  store.inner.saveSnapshot({
    streamId: stream,
    version,
    stateVersion: 3,
    state,
    timestamp: '2026-01-01T00:00:00.000Z',
  })

describe('loading', () => {
  test('an aggregate without events returns its initial state at version 0', async () => {
    expect(await accountsIn(store).load('1')).toEqual({
      streamId: stream,
      version: 0,
      state: account.initialState,
    })
  })

  test('rejects a malformed id', async () => {
    await expect(accountsIn(store).load('a b')).rejects.toThrow(/^aggregate id "a b" is malformed/)
  })

  test('from a snapshot at any version, with pages of any size, equals folding the whole stream', async () => {
    await fc.assert(
      fc.asyncProperty(someEvents, fc.integer({ min: 1, max: 7 }), async (events, eventsPerLoadMax) => {
        const whole = fold(account, events)
        for (let cut = 0; cut <= events.length; cut++) {
          store = new WatchedStore(eventsPerLoadMax)
          await appendElsewhere(...events)
          if (cut > 0) await saveSnapshot(parseVersion(cut), fold(account, events.slice(0, cut)))
          const loaded = await accountsIn(store).load('1')
          expect(loaded).toEqual({ streamId: stream, version: events.length, state: whole })
        }
      }),
      { numRuns: 30 },
    )
  })

  test('other work runs while a long page is folded', async () => {
    store = new WatchedStore(20_000)
    for (let page = 0; page < 20; page++)
      await appendElsewhere(...Array.from({ length: 1_000 }, () => deposited(1)))
    let turns = 0
    const count = () => {
      turns++
      immediate = setImmediate(count)
    }
    let immediate = setImmediate(count)
    expect(await accountsIn(store).load('1')).toMatchObject({ version: 20_000 })
    clearImmediate(immediate)
    expect(turns).toBeGreaterThanOrEqual(39)
  })

  test('uses the state of the snapshot without folding earlier events', async () => {
    await appendElsewhere(deposited(1), deposited(2))
    await saveSnapshot(parseVersion(1), { balance: 1_000, checksum: 0 })
    expect((await accountsIn(store).load('1')).state.balance).toBe(1_002)
    expect(store.calls).toEqual(['load 3'])
  })

  test('a second time reads only newer events', async () => {
    const repository = accountsIn(store)
    await appendElsewhere(deposited(1), deposited(2))
    await repository.load('1')
    expect(await repository.load('1')).toMatchObject({ version: 2, state: { balance: 3 } })
    await appendElsewhere(deposited(4))
    expect(await repository.load('1')).toMatchObject({ version: 3, state: { balance: 7 } })
    expect(store.calls).toEqual(['load 3', 'read 3-', 'read 3-'])
  })

  test('a second time reads up to the store’s version, over as many pages as needed', async () => {
    const repository = accountsIn(store)
    await appendElsewhere(deposited(1))
    await repository.load('1')
    const pennies = Array.from({ length: 750 }, () => deposited(1))
    for (const events of [pennies, pennies]) await appendElsewhere(...events)
    expect(await repository.load('1')).toMatchObject({ version: 1_501, state: { balance: 1_501 } })
    expect(store.calls).toEqual(['load 3', 'read 2-', 'read 1002-1501'])
  })

  test('evicts the least recently used aggregates when the cache is full', async () => {
    const repository = accountsIn(store, { cachedMax: 2 })
    for (const id of ['1', '2', '3']) await store.inner.append(parseStreamId(`account.${id}`), [deposited(1)])
    for (const id of ['1', '2', '3', '2', '1']) await repository.load(id)
    expect(store.calls).toEqual(['load 3', 'load 3', 'load 3', 'read 2-', 'load 3'])
  })

  test('ignores the cached state when the store is behind it, because the log was replaced', async () => {
    await appendElsewhere(deposited(1), deposited(2))
    const old = store.inner
    const replaced: AggregateStore = {
      append: (...given) => store.append(...given),
      load: (...given) => store.load(...given),
      read: (...given) => store.read(...given),
    }
    const repository = accountsIn(replaced)
    await repository.load('1')
    store = new WatchedStore()
    await appendElsewhere(deposited(50))
    expect(store.inner).not.toBe(old)
    expect(await repository.load('1')).toMatchObject({ version: 1, state: { balance: 50 } })
  })

  test('fails with a clear error when the store omits events that it reports', async () => {
    const withholding: AggregateStore = {
      append: (...given) => store.append(...given),
      load: async (...given) => ({ ...(await store.load(...given)), version: parseVersion(2) }),
      read: (...given) => store.read(...given),
    }
    await appendElsewhere(deposited(1))
    await expect(accountsIn(withholding).load('1')).rejects.toThrow(
      'the store reports account.1 at version 2, but returned no events from version 2',
    )
  })

  test('fails with a clear error on a stream with a gap', async () => {
    await appendElsewhere(deposited(1), deposited(2))
    const gapped: AggregateStore = {
      append: (...given) => store.append(...given),
      read: (...given) => store.read(...given),
      load: async (...given) => {
        const loaded = await store.load(...given)
        return { ...loaded, events: loaded.events.slice(1) }
      },
    }
    await expect(accountsIn(gapped).load('1')).rejects.toThrow(
      'sequence is broken: events[0] of stream account.1 has version 2, expected 1',
    )
  })
})

describe('a bad snapshot is ignored and reported, and the stream is read from its start:', () => {
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
    ['beyond the stream', { version: parseVersion(3) }, 'it was taken at version 3, but the stream is at 2'],
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
    const repository = accountsIn(lying, { onBadSnapshot: (...reported) => faults.push(reported) })
    expect(await repository.load('1')).toMatchObject({ version: 2, state: { balance: 3 } })
    expect(faults).toEqual([[stream, fault]])
    expect(store.calls).toEqual(['load 3', 'load without snapshot'])
    expect(await accountsIn(lying).load('1')).toMatchObject({ version: 2 })
  })

  test('a snapshot at the stream’s version is valid', async () => {
    await appendElsewhere(deposited(1), deposited(2))
    await saveSnapshot(parseVersion(2), { balance: 3, checksum: 0 })
    const faults: unknown[] = []
    const repository = accountsIn(store, { onBadSnapshot: (...reported) => faults.push(reported) })
    expect(await repository.load('1')).toMatchObject({ version: 2, state: { balance: 3, checksum: 0 } })
    expect(faults).toEqual([])
  })
})
