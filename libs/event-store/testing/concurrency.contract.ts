import { describe, expect, test } from 'vitest'

import { type AppendResult, type ExpectedVersion, noVersion, parseVersion } from '#domain'

import { EventStoreError } from '../errors.ts'
import { readAll } from '../read-all.ts'
import type { Subject } from './store-under-test.ts'

const fulfilled = (outcomes: readonly PromiseSettledResult<AppendResult>[]): AppendResult[] =>
  outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))

const rejected = (outcomes: readonly PromiseSettledResult<AppendResult>[]): unknown[] =>
  outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []))

export function concurrencyContract(subject: () => Subject): void {
  describe('concurrent appends to one stream', () => {
    test.each<[string, number, ExpectedVersion]>([
      ['the same version', 2, parseVersion(2)],
      ['version 0', 0, noVersion],
      ['no stream', 0, 'no-stream'],
    ])('that expect %s have exactly one winner', async (_, before, expectedVersion) => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      for (let n = 1; n <= before; n += 1) await store.append(streamId, [event(n)])
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (__, n) =>
          store.append(streamId, [event(n), event(n + 1)], { expectedVersion }),
        ),
      )
      const winners = fulfilled(outcomes)
      expect(winners).toHaveLength(1)
      expect(winners[0]).toMatchObject({ firstVersion: before + 1, lastVersion: before + 2 })
      for (const reason of rejected(outcomes)) {
        expect(reason).toBeInstanceOf(EventStoreError)
        expect(reason).toMatchObject({
          code: 'wrong-expected-version',
          details: { expected: expectedVersion, actual: before + 2 },
        })
      }
      const { events } = await store.read(streamId)
      expect(events.slice(before).map(({ id }) => id)).toEqual(winners[0]?.eventIds)
    })

    test('that expect any version all succeed: a thousand get versions 1 to 1,000', async () => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      const numbers = Array.from({ length: 1000 }, (_, index) => index + 1)
      const results = await Promise.all(numbers.map((n) => store.append(streamId, [event(n)])))
      const versions = results.map(({ firstVersion }) => Number(firstVersion))
      expect(versions.toSorted((a, b) => a - b)).toEqual(numbers)
      const acknowledged = new Map(results.map(({ firstVersion, eventIds }) => [firstVersion, eventIds[0]]))
      const events = await Array.fromAsync(readAll(store, streamId, { limit: 250 }))
      expect(events.map(({ version }) => Number(version))).toEqual(numbers)
      for (const { version, id } of events) expect(acknowledged.get(version)).toBe(id)
    })

    test('of several events each stay contiguous', async () => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      const results = await Promise.all(
        Array.from({ length: 50 }, () => store.append(streamId, [event(1), event(2), event(3)])),
      )
      const events = await Array.fromAsync(readAll(store, streamId))
      expect(events).toHaveLength(150)
      for (const { firstVersion, lastVersion, eventIds } of results) {
        expect(lastVersion).toBe(firstVersion + 2)
        expect(events.slice(firstVersion - 1, lastVersion).map(({ id }) => id)).toEqual(eventIds)
      }
    })
  })

  test('concurrent appends to different streams do not affect each other', async () => {
    const { store, event, freshStreamId } = subject()
    const streamIds = Array.from({ length: 50 }, freshStreamId)
    const append = (n: number) =>
      Promise.all(
        streamIds.map((streamId) =>
          store.append(streamId, [event(n)], { expectedVersion: parseVersion(n - 1) }),
        ),
      )
    for (const n of [1, 2, 3]) expect((await append(n)).every((it) => it.lastVersion === n)).toBe(true)
  })
}
