import { describe, expect, test } from 'vitest'

import { position } from '#domain'

import type { ParkedEvent } from '../../view-store/parked-event.ts'
import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { at, change, parkedEvent, type TestedProjection, topic } from '../tested-projection.ts'

const all = { offset: 0, limit: 100 }

export function parkedContract(subject: () => ViewStoreSubject): void {
  const withParked = async (parked: readonly ParkedEvent[]): Promise<TestedProjection> => {
    const projection = await subject().servingProjection()
    expect(await projection.commit('g1', { to: 100, parked })).toBe('committed')
    return projection
  }

  const parkedNow = (projection: TestedProjection, id = 'g1') =>
    subject().store.parked.list(projection.set(id), all)

  describe('parked events', () => {
    test('are recorded in the step that moves the checkpoint past them', async () => {
      const projection = await subject().servingProjection()
      const parked = [parkedEvent(3, { error: 'Zoë’s "order" has no sum\n\tat all' })]
      await projection.commit('g1', { to: 5, parked, changes: [change('a', 1)] })
      expect(await parkedNow(projection)).toEqual(parked)
      expect(await projection.state('g1')).toMatchObject({ parked: 1, views: 1 })
      expect(await projection.checkpoint('g1')).toBe(5)
    })

    test('are sorted by time, then by topic, then numerically by partition and offset', async () => {
      const inOrder = [
        parkedEvent(700, { parkedAtMs: 999 }),
        parkedEvent(0, { parkedAtMs: 1000, position: position('eventstore.a', 11, 0) }),
        parkedEvent(9, { parkedAtMs: 1000 }),
        parkedEvent(10, { parkedAtMs: 1000 }),
        parkedEvent(0, { parkedAtMs: 1000, position: at(3, 9) }),
        parkedEvent(0, { parkedAtMs: 1000, position: at(2, 10) }),
        parkedEvent(1, { parkedAtMs: 10_000 }),
      ]
      const projection = await withParked(inOrder.toReversed())
      expect(await parkedNow(projection)).toEqual(inOrder)
    })

    test('are returned page by page', async () => {
      const { store } = subject()
      const projection = await withParked([4, 2, 0, 3, 1].map((offset) => parkedEvent(offset)))
      const page = async (offset: number, limit: number) => {
        const events = await store.parked.list(projection.set('g1'), { offset, limit })
        return events.map((event) => event.position.offset)
      }
      expect(await page(0, 2)).toEqual([0, 1])
      expect(await page(2, 2)).toEqual([2, 3])
      expect(await page(4, 2)).toEqual([4])
      expect(await page(5, 2)).toEqual([])
    })

    test('belong to one generation; an unknown one has none', async () => {
      const projection = await withParked([parkedEvent(1)])
      await projection.add('g2')
      expect(await parkedNow(projection, 'g2')).toEqual([])
      expect(await parkedNow(projection, 'g9')).toEqual([])
    })
  })

  describe('applying a parked event', () => {
    test('makes its changes and unparks it, once', async () => {
      const { store } = subject()
      const projection = await withParked([parkedEvent(3), parkedEvent(4)])
      const set = projection.set('g1')
      expect(await store.parked.apply(set, at(3), [change('a', 1)])).toBe('applied')
      const expected = await projection.revision('g1', 'a')
      expect(await store.parked.apply(set, at(3), [change('a', 2, { expected })])).toBe('not-parked')
      expect(await projection.values('g1', ['a'])).toEqual({ a: 1 })
      expect(await parkedNow(projection)).toEqual([parkedEvent(4)])
      expect(await projection.state('g1')).toMatchObject({ parked: 1, views: 1, unpublished: 1 })
      expect(await projection.checkpoint('g1')).toBe(100)
    })

    test('gives its views a new revision, so that a commit from the old one is refused', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.writeChanges('g1', [change('a', 1)], [parkedEvent(0)])
      const expected = await projection.revision('g1', 'a')
      await store.parked.apply(projection.set('g1'), at(0), [change('a', 2, { expected })])
      expect(await projection.revision('g1', 'a')).toBeGreaterThan(expected)
      const changes = [change('a', 3, { expected })]
      expect(await projection.commit('g1', { from: 1, to: 2, changes })).toBe('view-changed')
    })

    test('from a changed view changes nothing and leaves it parked', async () => {
      const { store } = subject()
      const projection = await withParked([parkedEvent(3)])
      const changes = [change('b', 1), change('a', 1, { expected: 77 })]
      expect(await store.parked.apply(projection.set('g1'), at(3), changes)).toBe('view-changed')
      expect(await projection.state('g1')).toMatchObject({ parked: 1, views: 0, unpublished: 0 })
    })

    test('may change no view', async () => {
      const projection = await withParked([parkedEvent(3)])
      expect(await subject().store.parked.apply(projection.set('g1'), at(3), [])).toBe('applied')
      expect(await parkedNow(projection)).toEqual([])
    })

    test('reports not-parked before view-changed', async () => {
      const projection = await withParked([parkedEvent(3)])
      const wrong = [change('a', 1, { expected: 77 })]
      const other = position(topic, 1, 3)
      expect(await subject().store.parked.apply(projection.set('g1'), other, wrong)).toBe('not-parked')
    })

    test('in a retired or unknown generation changes nothing', async () => {
      const { store } = subject()
      const projection = await withParked([parkedEvent(3)])
      await projection.add('g2')
      await projection.moveTo('g2', 100)
      await store.generations.switchTo(projection.set('g2'), 1000)
      for (const id of ['g1', 'g9']) {
        expect(await store.parked.apply(projection.set(id), at(3), [change('a', 1)])).toBe('gone')
      }
      expect(await projection.state('g1')).toMatchObject({ parked: 1, views: 0 })
    })

    test('is possible while the generation is held', async () => {
      const { store } = subject()
      const projection = await withParked([parkedEvent(3)])
      await projection.add('g2')
      expect(await store.generations.switchTo(projection.set('g2'), 1000)).toBe('behind')
      expect(await store.parked.apply(projection.set('g1'), at(3), [change('a', 1)])).toBe('applied')
    })

    test('many times concurrently applies it once', async () => {
      const { store } = subject()
      const projection = await withParked([parkedEvent(3)])
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          store.parked.apply(projection.set('g1'), at(3), [change(`view ${n}`, n)]),
        ),
      )
      expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1)
      expect(await projection.state('g1')).toMatchObject({ parked: 0, views: 1 })
    })
  })

  test('dropping parked events counts those that were parked', async () => {
    const { store } = subject()
    const projection = await withParked([1, 2, 3].map((offset) => parkedEvent(offset)))
    const positions = [at(1), at(3), at(9), at(1, 1)]
    expect(await store.parked.drop(projection.set('g1'), positions)).toBe(2)
    expect(await store.parked.drop(projection.set('g1'), positions)).toBe(0)
    expect(await store.parked.drop(projection.set('g1'), [])).toBe(0)
    expect(await store.parked.drop(projection.set('g9'), positions)).toBe(0)
    expect(await parkedNow(projection)).toEqual([parkedEvent(2)])
    expect(await projection.state('g1')).toMatchObject({ parked: 1 })
    expect(await store.parked.apply(projection.set('g1'), at(1), [change('a', 1)])).toBe('not-parked')
  })
}
