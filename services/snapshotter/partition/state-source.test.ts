import { expect, test } from 'vitest'

import { defineAggregate, type DomainEvent, parseVersion, type ReadOptions, type StreamId } from '#domain'
import { InMemoryEventStore } from '#event-store'
import { SchemaError } from '#schemas'

import { BehindError, isPassing } from './passing-errors.ts'
import { hasSnapshots, type SnapshotAggregate, StateSource, withoutSnapshots } from './state-source.ts'

type Counted = DomainEvent<'Counted', { readonly by: number }>

const counter = defineAggregate<{ readonly sum: number }, Counted>({
  type: 'counter',
  initialState: { sum: 0 },
  evolve: {
    Counted: ({ sum }, { data }) => {
      if (data.by < 0) throw new TypeError('cannot count down')
      return { sum: sum + data.by }
    },
  },
  snapshot: { every: 2, stateVersion: 3, schema: 'CounterState' },
}) as unknown as SnapshotAggregate

const codec = { encode: (...args: unknown[]) => Buffer.from(JSON.stringify(args)) }
const counterA = 'counter.a' as StreamId
const counted = (by: number) => ({ type: 'Counted', data: { by } })

async function storeOf(...by: number[]): Promise<InMemoryEventStore> {
  const store = new InMemoryEventStore()
  await store.append(counterA, by.map(counted))
  return store
}

test('a snapshot is the current state, encoded with the schema of the aggregate', async () => {
  const source = new StateSource(await storeOf(1, 2, 3), counter, codec)
  const { state, timestampMs, ...rest } = await source.snapshot(counterA, 2)
  expect(rest).toEqual({ streamId: counterA, version: 3, stateVersion: 3 })
  expect(JSON.parse(state.toString())).toEqual(['counter', 'CounterState', { sum: 6 }, 'snapshot'])
  expect(Date.now() - timestampMs).toBeLessThan(60_000)
})

test('a store that is behind the log is retried until it certainly omits the record', async () => {
  const store = await storeOf(1)
  const late = {
    append: store.append.bind(store),
    load: store.load.bind(store),
    read: async (streamId: StreamId, options?: ReadOptions) => {
      if ((await store.info(streamId)).version === 1) await store.append(streamId, [counted(5)])
      return store.read(streamId, options)
    },
  }
  expect((await new StateSource(late, counter, codec).snapshot(counterA, 2)).version).toBe(2)
  const failure = await new StateSource(store, counter, codec)
    .snapshot(counterA, 3)
    .catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'invalid-state', cause: expect.any(BehindError) as unknown })
  expect(isPassing(failure)).toBe(false)
})

test('from a folded state it reads only the events after it', async () => {
  const store = await storeOf(1, 2, 3, 4)
  const read = store.read.bind(store)
  const asked: unknown[] = []
  store.load = () => Promise.reject(new Error('loads nothing'))
  store.read = (streamId, options) => {
    asked.push(options?.fromVersion)
    return read(streamId, options)
  }
  const folded = { streamId: counterA, version: parseVersion(3), state: { sum: 60 } }
  const snapshot = await new StateSource(store, counter, codec).snapshot(counterA, 2, folded)
  expect(snapshot).toMatchObject({ streamId: counterA, version: 4 })
  expect(JSON.parse(snapshot.state.toString())).toEqual(['counter', 'CounterState', { sum: 64 }, 'snapshot'])
  expect(asked).toEqual([4])
})

test('a store that is behind a folded state is retried until it certainly omits events', async () => {
  const store = await storeOf(1, 2)
  const folded = { streamId: counterA, version: parseVersion(3), state: { sum: 6 } }
  const failure = await new StateSource(store, counter, codec)
    .snapshot(counterA, 2, folded)
    .catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'invalid-state', cause: expect.any(BehindError) as unknown })
})

test('an error in the state itself is reported and not transient', async () => {
  const failing = [
    new StateSource(await storeOf(1, -1), counter, codec).snapshot(counterA, 0),
    new StateSource(await storeOf(1), counter, {
      encode: () => {
        throw new SchemaError('not-registered', 'no schema')
      },
    }).snapshot(counterA, 0),
  ]
  for (const end of await Promise.allSettled(failing)) {
    const error: unknown = end.status === 'rejected' ? end.reason : undefined
    expect(error).toMatchObject({ code: 'invalid-state' })
    expect(isPassing(error)).toBe(false)
  }
  const source = new StateSource(await storeOf(1), counter, codec)
  await expect(source.snapshot('counter.b' as StreamId, 0)).rejects.toMatchObject({
    code: 'stream-not-found',
  })
})

test('an unreachable registry is a transient error', async () => {
  const store = await storeOf(1)
  const away = new SchemaError('registry-unreachable', 'the registry is down')
  store.load = () => Promise.reject(away)
  const failure = await new StateSource(store, counter, codec)
    .snapshot(counterA, 0)
    .catch((error: unknown) => error)
  expect(failure).toBe(away)
  expect(isPassing(failure)).toBe(true)
})

test('without snapshots a state is folded from events only', async () => {
  const store = await storeOf(1, 2, 3)
  const wrong = { version: parseVersion(2), stateVersion: 3, state: { sum: 100 } }
  await store.saveSnapshot({ ...wrong, streamId: counterA, timestamp: new Date().toISOString() })
  const sumOf = async (source: StateSource) =>
    (JSON.parse((await source.snapshot(counterA, 0)).state.toString()) as unknown[])[2]
  expect(await sumOf(new StateSource(store, counter, codec))).toEqual({ sum: 103 })
  expect(await sumOf(new StateSource(withoutSnapshots(store), counter, codec))).toEqual({ sum: 6 })
})

test('an aggregate without a state schema has no snapshots', () => {
  expect(hasSnapshots(counter)).toBe(true)
  expect(hasSnapshots({ ...counter, snapshot: { every: 2, stateVersion: 3 } })).toBe(false)
})
