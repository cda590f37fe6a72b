import { expect, test } from 'vitest'

import { defineAggregate, type DomainEvent, type StreamId, type Version } from '#domain'
import { InMemoryEventStore, readAll } from '#event-store'

import { type StreamEvents, StreamStates } from './stream-states.ts'

type Counted = DomainEvent<'Counted', { readonly by: number }>

const counter = defineAggregate<{ readonly sum: number }, Counted>({
  type: 'counter',
  initialState: { sum: 0 },
  evolve: { Counted: ({ sum }, { data }) => ({ sum: sum + data.by }) },
})
const states = new StreamStates([counter])
const counterA = 'counter.a' as StreamId

async function sourceOf(...by: number[]): Promise<StreamEvents> {
  const store = new InMemoryEventStore()
  if (by.length > 0)
    await store.append(
      counterA,
      by.map((n) => ({ type: 'Counted', data: { by: n } })),
    )
  return {
    store,
    version: async () => (await store.read(counterA)).version,
    events: async function* (bounds) {
      yield await Array.fromAsync(readAll(store, counterA, bounds))
    },
  }
}

test.each([
  [0, 0],
  [1, 5],
  [2, 12],
  [undefined, 12],
])('the state at version %s is folded up to that version', async (version, sum) => {
  const at = version === undefined ? {} : { version: version as Version }
  expect(await states.state(await sourceOf(5, 7), counterA, at)).toEqual({
    version: version ?? 2,
    state: { sum },
  })
})

test('a version beyond the end is rejected with the current version', async () => {
  for (const version of [3, 9_999, Number.MAX_SAFE_INTEGER] as Version[]) {
    await expect(states.state(await sourceOf(5, 7), counterA, { version })).rejects.toMatchObject({
      code: 'version-not-found',
      details: { path: 'version', actual: 2 },
    })
  }
})

test('a stream that does not exist has no state at any version', async () => {
  for (const at of [{}, { version: 0 as Version }, { version: 1 as Version }, { at: '2999-01-01' }]) {
    await expect(states.state(await sourceOf(), counterA, at)).rejects.toMatchObject({
      code: 'stream-not-found',
    })
  }
})
