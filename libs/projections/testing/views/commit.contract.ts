import { describe, expect, test } from 'vitest'

import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { change, jsonOf, parkedEvent } from '../tested-projection.ts'

export function commitContract(subject: () => ViewStoreSubject): void {
  describe('a commit', () => {
    test('makes its changes and moves its checkpoint', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      const changes = [change('a', 1, { changedAtMs: 1234, expiresAtMs: 99_999 }), change('b', 2)]
      expect(await projection.commit('g1', { to: 12, changes })).toBe('committed')
      expect(await projection.checkpoint('g1')).toBe(12)
      const views = await store.views.read(projection.set('g1'), ['a', 'b', 'c'])
      const revision = views.get('a')?.revision
      expect(revision).toBeGreaterThan(0)
      expect(views).toEqual(
        new Map([
          ['a', { json: jsonOf(1), revision, changedAtMs: 1234, expiresAtMs: 99_999 }],
          ['b', { json: jsonOf(2), revision, changedAtMs: 1000 }],
        ]),
      )
    })

    test('replaces a whole view, including its time to live', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 }, { expiresAtMs: 99_999 })
      await projection.write('g1', { a: 2 }, { changedAtMs: 2000 })
      expect((await store.views.read(projection.set('g1'), ['a'])).get('a')).toEqual({
        json: jsonOf(2),
        revision: await projection.revision('g1', 'a'),
        changedAtMs: 2000,
      })
    })

    test('may move only the checkpoint', async () => {
      const projection = await subject().servingProjection()
      expect(await projection.commit('g1', { from: undefined, to: 0 })).toBe('committed')
      expect(await projection.commit('g1', { from: 0, to: 9 })).toBe('committed')
      expect(await projection.state('g1')).toMatchObject({ views: 0, unpublished: 0 })
    })

    test('moves only the checkpoint of its partition and generation', async () => {
      const projection = await subject().servingProjection()
      await projection.add('g2')
      await projection.commit('g1', { partition: 1, to: 5 })
      await projection.commit('g2', { partition: 1, to: 6 })
      expect(await projection.checkpoint('g1', 0)).toBeUndefined()
      expect(await projection.checkpoint('g1', 1)).toBe(5)
      expect(await projection.checkpoint('g2', 1)).toBe(6)
    })

    test.each<[number | undefined, number | undefined]>([
      [undefined, 0],
      [0, undefined],
      [undefined, 5],
      [5, undefined],
      [5, 4],
      [5, 6],
      [5, 0],
    ])('at checkpoint %s made from %s changes nothing', async (checkpoint, from) => {
      const projection = await subject().servingProjection()
      if (checkpoint !== undefined) await projection.moveTo('g1', checkpoint)
      const step = { from, to: 8, changes: [change('a', 1)], parked: [parkedEvent(7)] }
      expect(await projection.commit('g1', step)).toBe('checkpoint-moved')
      expect(await projection.checkpoint('g1')).toBe(checkpoint)
      expect(await projection.state('g1')).toMatchObject({ views: 0, parked: 0, unpublished: 0 })
    })

    test('in which one view has changed since it was read changes nothing', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1, c: 3 })
      await projection.publishAll('g1')
      const read = await projection.revision('g1', 'c')
      await projection.write('g1', { a: 2 })
      const changes = [change('c', 4, { expected: read }), change('b', 1), change('a', 9, { expected: read })]
      expect(await projection.commit('g1', { from: 2, to: 3, changes, parked: [parkedEvent(2)] })).toBe(
        'view-changed',
      )
      expect(await projection.values('g1', ['a', 'b', 'c'])).toEqual({ a: 2, c: 3 })
      expect(await projection.checkpoint('g1')).toBe(2)
      expect(await projection.unpublishedValues('g1')).toEqual({ a: 2 })
      expect(await projection.state('g1')).toMatchObject({ parked: 0 })
    })

    test('that expects no view is refused when there is one, and the reverse', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      const there = await projection.revision('g1', 'a')
      const onto = (key: string, expected: number) =>
        projection.commit('g1', { from: 1, to: 2, changes: [change(key, 2, { expected })] })
      expect(await onto('a', 0)).toBe('view-changed')
      expect(await onto('b', there)).toBe('view-changed')
      expect(await onto('a', there + 1)).toBe('view-changed')
      expect(await onto('a', there)).toBe('committed')
    })

    test('deletes a view', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1, b: 2 })
      await projection.write('g1', { a: null })
      expect([...(await store.views.read(projection.set('g1'), ['a', 'b'])).keys()]).toEqual(['b'])
      expect(await projection.state('g1')).toMatchObject({ views: 1 })
    })

    test('gives a deleted and recreated view a revision that it never had', async () => {
      const projection = await subject().servingProjection()
      const seen: number[] = []
      for (let round = 1; round <= 5; round += 1) {
        await projection.write('g1', { a: round })
        seen.push(await projection.revision('g1', 'a'))
        await projection.write('g1', { a: null })
      }
      await projection.write('g1', { a: 6 })
      const now = await projection.revision('g1', 'a')
      expect(now).toBeGreaterThan(Math.max(...seen))
      for (const expected of [...seen, 0]) {
        const changes = [change('a', 0, { expected })]
        expect(await projection.commit('g1', { from: 11, to: 12, changes })).toBe('view-changed')
      }
    })

    test('checks the revision for a deletion, too', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      const old = await projection.revision('g1', 'a')
      await projection.write('g1', { a: 2 })
      const deletion = (expected: number) =>
        projection.commit('g1', { from: 2, to: 3, changes: [change('a', null, { expected })] })
      expect(await deletion(old)).toBe('view-changed')
      expect(await deletion(0)).toBe('view-changed')
      expect(await deletion(await projection.revision('g1', 'a'))).toBe('committed')
    })

    test('may delete a view that does not exist', async () => {
      const projection = await subject().servingProjection()
      expect(await projection.commit('g1', { to: 1, changes: [change('a', null)] })).toBe('committed')
      expect(await projection.state('g1')).toMatchObject({ views: 0, unpublished: 1 })
      expect(await projection.unpublishedValues('g1')).toEqual({ a: null })
    })

    test('gives its views a higher revision than all before', async () => {
      const projection = await subject().servingProjection()
      let highest = 0
      for (const key of ['a', 'b', 'a', 'c', 'b']) {
        await projection.write('g1', { [key]: highest })
        const revision = await projection.revision('g1', key)
        expect(revision).toBeGreaterThan(highest)
        highest = revision
      }
    })

    test('to a retired or unknown generation returns gone', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.add('g2')
      await store.generations.retire(projection.set('g2'))
      expect(await projection.commit('g2', { to: 3, changes: [change('a', 1)] })).toBe('gone')
      expect(await projection.commit('g9', { to: 3, changes: [change('a', 1)] })).toBe('gone')
      expect(await projection.state('g2')).toMatchObject({ views: 0, checkpoints: new Map() })
      expect(await projection.statuses()).toEqual({ g1: 'serving', g2: 'retired' })
    })

    test('with several problems reports them in the documented order', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      await projection.add('g2')
      await store.generations.switchTo(projection.set('g2'), 1000)
      const wrongView = [change('a', 2, { expected: 0 })]
      expect(await projection.commit('g1', { from: 4, to: 5, changes: wrongView })).toBe('checkpoint-moved')
      expect(await projection.commit('g1', { from: 1, to: 5, changes: wrongView })).toBe('held')
      subject().clock.advance(1000)
      expect(await projection.commit('g1', { from: 1, to: 5, changes: wrongView })).toBe('view-changed')
      await projection.moveTo('g2', 1)
      await store.generations.switchTo(projection.set('g2'), 1000)
      expect(await projection.commit('g1', { from: 4, to: 5, changes: wrongView })).toBe('gone')
    })
  })
}
