import { describe, expect, test } from 'vitest'

import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { change, jsonOf } from '../tested-projection.ts'

export function outboxContract(subject: () => ViewStoreSubject): void {
  describe('the unpublished views', () => {
    test('include every changed view once, in its current state', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1, b: 1 })
      await projection.write('g1', { a: 2 }, { changedAtMs: 2000 })
      const [a, b] = [await projection.revision('g1', 'a'), await projection.revision('g1', 'b')]
      expect(await projection.unpublished('g1')).toEqual(
        new Map([
          ['a', { key: 'a', revision: a, json: jsonOf(2), changedAtMs: 2000 }],
          ['b', { key: 'b', revision: b, json: jsonOf(1), changedAtMs: 1000 }],
        ]),
      )
    })

    test('include a deleted view with the time and revision of its deletion', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1, b: 1 })
      await projection.publishAll('g1')
      const made = await projection.revision('g1', 'a')
      await projection.write('g1', { a: null }, { changedAtMs: 3000 })
      const gone = (await projection.unpublished('g1')).get('a')
      expect(gone).toEqual({ key: 'a', revision: gone?.revision, json: null, changedAtMs: 3000 })
      expect(gone?.revision).toBeGreaterThan(made)
      expect(await projection.state('g1')).toMatchObject({ views: 1, unpublished: 1 })
    })

    test('include a deleted and recreated view as a view', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      await projection.write('g1', { a: null })
      await projection.write('g1', { a: 2 })
      expect(await projection.unpublishedValues('g1')).toEqual({ a: 2 })
    })

    test('include a view that was changed to the same state', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      await projection.publishAll('g1')
      await projection.write('g1', { a: 1 })
      expect(await projection.unpublishedValues('g1')).toEqual({ a: 1 })
    })

    test('are returned up to a limit at a time until none is left', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      const keys = Array.from({ length: 10 }, (_, n) => `view ${n}`)
      await projection.write('g1', Object.fromEntries(keys.map((key, n) => [key, n])))
      const seen: string[] = []
      for (const expected of [4, 4, 2, 0]) {
        const some = await store.outbox.unpublished(projection.set('g1'), 4)
        expect(some).toHaveLength(expected)
        seen.push(...some.map(({ key }) => key))
        await store.outbox.markPublished(projection.set('g1'), some)
      }
      expect(seen.sort()).toEqual(keys)
    })

    test('are separate for each generation; an unknown one has none', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.add('g2')
      await projection.write('g2', { a: 1 })
      expect(await projection.unpublishedValues('g1')).toEqual({})
      await store.outbox.markPublished(projection.set('g1'), [
        ...(await projection.unpublished('g2')).values(),
      ])
      expect(await projection.unpublishedValues('g2')).toEqual({ a: 1 })
      expect(await store.outbox.unpublished(projection.set('g9'), 10)).toEqual([])
    })
  })

  describe('marking as published', () => {
    test('removes the named views and leaves the rest', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1, b: 2 })
      const a = (await projection.unpublished('g1')).get('a')
      await store.outbox.markPublished(projection.set('g1'), a === undefined ? [] : [a])
      expect(await projection.unpublishedValues('g1')).toEqual({ b: 2 })
      expect(await projection.values('g1', ['a'])).toEqual({ a: 1 })
      expect(await projection.state('g1')).toMatchObject({ views: 2, unpublished: 1 })
    })

    test.each<[string, Record<string, number | null>[]]>([
      ['changed', [{ a: 2 }]],
      ['changed to the same state', [{ a: 1 }]],
      ['been deleted', [{ a: null }]],
      ['been deleted and recreated', [{ a: null }, { a: 1 }]],
    ])('leaves a view that has %s since', async (_, writes) => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      const before = [...(await projection.unpublished('g1')).values()]
      for (const views of writes) await projection.write('g1', views)
      const now = await projection.unpublished('g1')
      await store.outbox.markPublished(projection.set('g1'), before)
      expect(now.size).toBe(1)
      expect(await projection.unpublished('g1')).toEqual(now)
    })

    test('leaves a view that was recreated after the published deletion', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      await projection.write('g1', { a: null })
      const before = [...(await projection.unpublished('g1')).values()]
      await projection.write('g1', { a: 2 })
      await store.outbox.markPublished(projection.set('g1'), before)
      expect(await projection.unpublishedValues('g1')).toEqual({ a: 2 })
    })

    test('may be repeated, and may name unknown views', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      const all = [...(await projection.unpublished('g1')).values(), { key: 'b', revision: 1 }]
      await store.outbox.markPublished(projection.set('g1'), all)
      await store.outbox.markPublished(projection.set('g1'), all)
      await store.outbox.markPublished(projection.set('g1'), [])
      await store.outbox.markPublished(projection.set('g9'), all)
      expect(await projection.state('g1')).toMatchObject({ views: 1, unpublished: 0 })
    })

    test('does not change the revision that the next commit expects', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      const expected = await projection.revision('g1', 'a')
      await projection.publishAll('g1')
      const changes = [change('a', 2, { expected })]
      expect(await projection.commit('g1', { from: 1, to: 2, changes })).toBe('committed')
    })
  })
}
