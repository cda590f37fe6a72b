import { describe, expect, test } from 'vitest'

import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { at, parkedEvent, source, type TestedProjection } from '../tested-projection.ts'

export function discardContract(subject: () => ViewStoreSubject): void {
  const discard = (projection: TestedProjection, id: string, limit = 1000) =>
    subject().store.generations.discard(projection.set(id), limit)

  /** `g2` serves instead of `g1`. Each has its own views; all of `g2`'s are published. */
  const switched = async (
    old: Record<string, number>,
    fresh: Record<string, number>,
  ): Promise<TestedProjection> => {
    const projection = await subject().servingProjection()
    await projection.write('g1', old)
    await projection.add('g2')
    await projection.write('g2', fresh)
    await projection.publishAll('g2')
    expect(await subject().store.generations.switchTo(projection.set('g2'), 1000)).toBe('switched')
    return projection
  }

  describe('discarding', () => {
    test('deletes a retired generation with everything that belongs to it', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection(['spend'])
      await projection.add('g2')
      await projection.write('g2', { a: 1 }, { indexes: { spend: 3 }, expiresAtMs: 10 })
      await projection.commit('g2', { from: 1, to: 2, parked: [parkedEvent(1)] })
      await store.generations.stop(projection.set('g2'), source(), {
        position: at(2),
        error: 'no',
        stoppedAtMs: 1,
      })
      await store.generations.retire(projection.set('g2'))
      expect(await discard(projection, 'g2')).toBe(true)
      expect(await projection.statuses()).toEqual({ g1: 'serving' })
      await projection.add('g2')
      expect(await projection.state('g2')).toMatchObject({
        checkpoints: new Map(),
        stops: new Map(),
        views: 0,
        parked: 0,
        unpublished: 0,
      })
      expect(await projection.values('g2', ['a'])).toEqual({})
      const lookup = { generation: 'g2', descending: false, limit: 10 }
      for (const query of [lookup, { ...lookup, orderBy: 'spend' }]) {
        expect(await store.views.page(projection.stored, query)).toMatchObject({ found: { views: [] } })
      }
      expect(await store.views.expire(projection.set('g2'), 100, 10)).toBe(0)
      expect(await store.parked.list(projection.set('g2'), { offset: 0, limit: 10 })).toEqual([])
    })

    test('finishes at once for a generation without views, and for an unknown one', async () => {
      const projection = await switched({}, {})
      expect(await discard(projection, 'g1')).toBe(true)
      expect(await discard(projection, 'g1')).toBe(true)
      expect(await projection.statuses()).toEqual({ g2: 'serving' })
    })

    test.each(['serving', 'building', 'kept'])('leaves a generation that is %s', async (status) => {
      const projection = await subject().servingProjection()
      await projection.add('g2')
      await projection.add('g3', { until: { beforeMs: 1 } })
      const ids: Record<string, string> = { serving: 'g1', building: 'g2', kept: 'g3' }
      const id = ids[status] ?? ''
      await projection.write(id, { a: 1 })
      expect(await discard(projection, id)).toBe(false)
      expect(await projection.state(id)).toMatchObject({ status, views: 1 })
    })

    test('proceeds in steps of at most the limit', async () => {
      const keys = Array.from({ length: 7 }, (_, n) => `view ${n}`)
      const projection = await switched(Object.fromEntries(keys.map((key, n) => [key, n])), {})
      for (const left of [5, 3, 1]) {
        expect(await discard(projection, 'g1', 2)).toBe(false)
        expect(await projection.state('g1')).toMatchObject({ status: 'retired', views: left })
        expect(await projection.state('g2')).toMatchObject({ unpublished: 7 - left })
      }
      expect(await discard(projection, 'g1', 2)).toBe(true)
      expect(Object.keys(await projection.unpublishedValues('g2')).sort()).toEqual(keys)
    })

    test('ends with the step that deletes the last view', async () => {
      const projection = await switched({ a: 1, b: 2, c: 3, d: 4 }, {})
      expect(await discard(projection, 'g1', 2)).toBe(false)
      expect(await discard(projection, 'g1', 2)).toBe(true)
    })

    test('marks views that the serving generation lacks as deletions to publish', async () => {
      const projection = await switched({ a: 1, b: 2, c: 3 }, { b: 20, d: 40 })
      const highest = await projection.revision('g2', 'b')
      expect(await discard(projection, 'g1')).toBe(true)
      const unpublished = await projection.unpublished('g2')
      expect([...unpublished.keys()].sort()).toEqual(['a', 'c'])
      for (const { json, revision } of unpublished.values()) {
        expect(json).toBeNull()
        expect(revision).toBeGreaterThan(highest)
      }
      expect(await projection.values('g2', ['a', 'b', 'c', 'd'])).toEqual({ b: 20, d: 40 })
      expect(await projection.state('g2')).toMatchObject({ views: 2 })
      await projection.publishAll('g2')
      expect(await projection.unpublishedValues('g2')).toEqual({})
    })

    test('marks deletions that the retired generation had not published', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1, b: 2 })
      await projection.publishAll('g1')
      await projection.write('g1', { a: null })
      await projection.add('g2')
      await projection.moveTo('g2', 2)
      await subject().store.generations.switchTo(projection.set('g2'), 1000)
      expect(await discard(projection, 'g1', 1)).toBe(false)
      expect(await discard(projection, 'g1', 1)).toBe(true)
      expect(await projection.unpublishedValues('g2')).toEqual({ a: null, b: null })
    })

    test('leaves unpublished keys of the serving generation as they are', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1, b: 2 })
      await projection.add('g2')
      await projection.write('g2', { a: 10, b: 20 })
      await projection.write('g2', { b: null })
      await store.generations.switchTo(projection.set('g2'), 1000)
      const before = await projection.unpublished('g2')
      await discard(projection, 'g1')
      expect(await projection.unpublished('g2')).toEqual(before)
    })

    test('leaves a view created later under such a key', async () => {
      const projection = await switched({ a: 1 }, { b: 2 })
      await discard(projection, 'g1')
      await projection.write('g2', { a: 5 })
      expect(await projection.values('g2', ['a'])).toEqual({ a: 5 })
      expect(await projection.unpublishedValues('g2')).toEqual({ a: 5 })
    })

    test('a generation that never served leaves the views of the serving one', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      await projection.add('g2')
      await projection.write('g2', { a: 2 })
      await store.generations.retire(projection.set('g2'))
      await discard(projection, 'g2')
      expect(await projection.values('g1', ['a'])).toEqual({ a: 1 })
      expect(await projection.unpublishedValues('g1')).toEqual({ a: 1 })
    })
  })
}
