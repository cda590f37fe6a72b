import { expect, test } from 'vitest'

import { busy } from '#bounds/testing'
import { defineAggregate, type DomainEvent, type RecordedEvent, type StreamId, type Version } from '#domain'
import { InMemoryEventStore, readAll } from '#event-store'

import { type StreamSource, StreamStates } from './stream-states.ts'

type Counted = DomainEvent<'Counted', { readonly by: number }>

const counter = (countMs = 0) =>
  defineAggregate<{ readonly sum: number }, Counted>({
    type: 'counter',
    initialState: { sum: 0 },
    evolve: {
      Counted: ({ sum }, { data }) => {
        busy(countMs)
        return { sum: sum + data.by }
      },
    },
    snapshot: { schema: 'CounterState', stateVersion: 3 },
  })
const states = new StreamStates([counter()])
const counterA = 'counter.a' as StreamId

interface Read {
  readonly source: StreamSource
  /** The versions of the events that were read. */
  readonly versions: number[]
}

/** A stream whose events are read one by one. @param by a number for each event. @param days the day of each event in January. */
async function readOf(
  by: readonly number[],
  { days = by.map((_, index) => index + 1), snapshot }: { days?: readonly number[]; snapshot?: Version } = {},
): Promise<Read> {
  const store = new InMemoryEventStore()
  if (by.length > 0)
    await store.append(
      counterA,
      by.map((n) => ({ type: 'Counted', data: { by: n } })),
    )
  const all = (await Array.fromAsync(readAll(store, counterA))).map((event, index) => ({
    ...event,
    timestamp: `2026-01-${String(days[index]).padStart(2, '0')}T00:00:00.000Z`,
  }))
  const versions: number[] = []
  const source: StreamSource = {
    version: () => Promise.resolve(all.length as Version),
    // Its state differs from the fold of its events, so that a state shows where it started.
    snapshot: (stateVersion) =>
      Promise.resolve(
        snapshot !== undefined && stateVersion === 3 ? { version: snapshot, state: { sum: 100 } } : undefined,
      ),
    async *events({ fromVersion = 1, toVersion = Infinity, until = '9999', direction }) {
      for (const event of direction === 'backwards' ? all.toReversed() : all) {
        if (event.version < fromVersion || event.version > toVersion) continue
        versions.push(event.version)
        yield await Promise.resolve(event.timestamp < until ? [event] : [])
      }
    },
  }
  return { source, versions }
}

const sourceOf = async (...by: number[]) => (await readOf(by)).source

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

test.each([
  [{ version: 3 as Version }, { version: 3, state: { sum: 104 } }, [3]],
  [{ version: 2 as Version }, { version: 2, state: { sum: 100 } }, []],
  [{}, { version: 4, state: { sum: 112 } }, [3, 4]],
  [{ at: '2026-01-03' }, { version: 3, state: { sum: 104 } }, [4, 3, 3]],
  [{ version: 1 as Version }, { version: 1, state: { sum: 1 } }, [1]],
])('the state at %j starts at the snapshot, unless that is newer', async (point, state, read) => {
  const { source, versions } = await readOf([1, 2, 4, 8], { snapshot: 2 as Version })
  expect(await states.state(source, counterA, point)).toEqual(state)
  expect(versions).toEqual(read)
})

test('the state at a time is that after the last event until then, even if an event before it was imported with a later time', async () => {
  const { source } = await readOf([1, 2, 4, 8], { days: [1, 20, 3, 21] })
  const at = (day: string) => states.state(source, counterA, { at: `2026-01-${day}` })
  expect(await at('04')).toEqual({ version: 3, state: { sum: 7 } })
  expect(await at('02')).toEqual({ version: 1, state: { sum: 1 } })
  expect(await at('31')).toEqual({ version: 4, state: { sum: 15 } })
})

test('other work runs while a state is folded from 20,000 events', async () => {
  const count = 20_000
  const event = { streamId: counterA, type: 'Counted', data: { by: 1 } }
  const source: StreamSource = {
    ...(await sourceOf()),
    version: () => Promise.resolve(count as Version),
    async *events() {
      yield await Promise.resolve(
        Array.from({ length: count }, (_, index) => ({ ...event, version: index + 1 }) as RecordedEvent),
      )
    },
  }
  let turns = 0
  const other = setInterval(() => turns++)
  const { state } = await new StreamStates([counter(0.01)]).state(source, counterA, {})
  clearInterval(other)
  expect(state).toEqual({ sum: count })
  // 200 ms of folding, a few milliseconds at a time.
  expect(turns).toBeGreaterThan(10)
})
