import { beforeAll, describe, expect, test } from 'vitest'

import { parseVersion, type ReadOptions, type StreamId, type Version } from '#domain'

import { readAll } from '../read-all.ts'
import { rejection, type Subject } from './store-under-test.ts'

const version = (n: number): Version => parseVersion(n)
const range = (first: number, last: number): number[] =>
  first <= last
    ? Array.from({ length: last - first + 1 }, (_, index) => first + index)
    : range(last, first).reverse()

export function readContract(subject: () => Subject): void {
  describe('reading a stream of ten events', () => {
    let streamId: StreamId

    beforeAll(async () => {
      const { store, event, freshStreamId } = subject()
      streamId = freshStreamId()
      await store.append(streamId, range(1, 4).map(event))
      for (const n of range(5, 10)) await store.append(streamId, [event(n)])
    })

    const numbersOf = (options: ReadOptions) =>
      subject()
        .store.read(streamId, options)
        .then((page) => ({
          versions: page.events.map((it) => Number(it.version)),
          next: page.next,
          version: page.version,
        }))

    test.each<[string, ReadOptions, number[], number | undefined]>([
      ['all of it by default', {}, range(1, 10), undefined],
      ['from a version', { fromVersion: version(7) }, range(7, 10), undefined],
      ['from version 0, as from the first', { fromVersion: version(0) }, range(1, 10), undefined],
      ['up to a version', { toVersion: version(3) }, range(1, 3), undefined],
      ['between two versions', { fromVersion: version(3), toVersion: version(5) }, [3, 4, 5], undefined],
      ['one version', { fromVersion: version(4), toVersion: version(4) }, [4], undefined],
      ['up to a version past its end', { toVersion: version(99) }, range(1, 10), undefined],
      ['from a version past its end', { fromVersion: version(11) }, [], undefined],
      ['between versions that cross', { fromVersion: version(5), toVersion: version(3) }, [], undefined],
      ['a first page', { limit: 4 }, range(1, 4), 5],
      ['a middle page', { fromVersion: version(5), limit: 4 }, range(5, 8), 9],
      ['a last page that is not full', { fromVersion: version(9), limit: 4 }, [9, 10], undefined],
      ['a last page that is just full', { fromVersion: version(7), limit: 4 }, range(7, 10), undefined],
      ['a page that ends at the bound', { toVersion: version(4), limit: 4 }, range(1, 4), undefined],
      ['backwards', { direction: 'backwards' }, range(10, 1), undefined],
      [
        'backwards between two versions',
        { direction: 'backwards', fromVersion: version(3), toVersion: version(5) },
        [5, 4, 3],
        undefined,
      ],
      ['a first page backwards', { direction: 'backwards', limit: 4 }, range(10, 7), 6],
      ['a next page backwards', { direction: 'backwards', toVersion: version(6), limit: 4 }, range(6, 3), 2],
      [
        'a last page backwards',
        { direction: 'backwards', toVersion: version(4), limit: 4 },
        range(4, 1),
        undefined,
      ],
      ['the latest event', { direction: 'backwards', limit: 1 }, [10], 9],
    ])('returns %s', async (_, options, versions, next) => {
      expect(await numbersOf(options)).toEqual({ versions, next, version: 10 })
    })

    test.each<[ReadOptions, number[]]>([
      [{}, range(1, 10)],
      [{ limit: 1 }, range(1, 10)],
      [{ limit: 3 }, range(1, 10)],
      [{ limit: 5 }, range(1, 10)],
      [{ limit: 3, fromVersion: version(2), toVersion: version(9) }, range(2, 9)],
      [{ limit: 3, direction: 'backwards' }, range(10, 1)],
      [{ limit: 3, direction: 'backwards', fromVersion: version(2), toVersion: version(9) }, range(9, 2)],
    ])('page by page with %j returns each event once, in order', async (options, versions) => {
      const events = await Array.fromAsync(readAll(subject().store, streamId, options))
      expect(events.map((it) => Number(it.version))).toEqual(versions)
    })

    test('can stop in the middle', async () => {
      const seen: number[] = []
      for await (const event of readAll(subject().store, streamId, { limit: 2 })) {
        seen.push(event.version)
        if (seen.length === 3) break
      }
      expect(seen).toEqual([1, 2, 3])
    })

    test('returns the same events in both directions', async () => {
      const { store } = subject()
      const forwards = await store.read(streamId)
      const backwards = await store.read(streamId, { direction: 'backwards' })
      expect(backwards.events.toReversed()).toEqual(forwards.events)
    })

    test('info returns its version, its first and its last time', async () => {
      const { store } = subject()
      const { events } = await store.read(streamId)
      expect(await store.info(streamId)).toMatchObject({
        streamId,
        version: 10,
        firstTimestamp: events[0]?.timestamp,
        lastTimestamp: events[9]?.timestamp,
      })
    })
  })

  describe('a stream that does not exist', () => {
    test.each<ReadOptions>([{}, { direction: 'backwards' }, { fromVersion: version(3) }, { limit: 1 }])(
      'reads as empty at version 0: %j',
      async (options) => {
        const { store, freshStreamId } = subject()
        const streamId = freshStreamId()
        expect(await store.read(streamId, options)).toEqual({ streamId, version: 0, events: [] })
      },
    )

    test('iterates over nothing', async () => {
      const { store, freshStreamId } = subject()
      expect(await Array.fromAsync(readAll(store, freshStreamId()))).toEqual([])
    })

    test('has no info', async () => {
      const { store, freshStreamId } = subject()
      expect((await rejection(store.info(freshStreamId()))).code).toBe('stream-not-found')
    })

    test('is not created by reading, loading or a rejected append', async () => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      await store.read(streamId)
      await store.load(streamId)
      await rejection(store.append(streamId, [event(1)], { expectedVersion: 'stream-exists' }))
      expect((await rejection(store.info(streamId))).code).toBe('stream-not-found')
      expect(await store.append(streamId, [event(1)], { expectedVersion: 'no-stream' })).toMatchObject({
        firstVersion: 1,
      })
    })
  })
}
