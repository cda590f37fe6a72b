import { describe, expect, test } from 'vitest'

import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { change, found, type TestedProjection } from '../tested-projection.ts'

export function expiryContract(subject: () => ViewStoreSubject): void {
  /** `short` expires in a second, `long` in an hour, `never` never. */
  const withExpiry = async (): Promise<TestedProjection> => {
    const { clock } = subject()
    const projection = await subject().servingProjection()
    await projection.writeChanges('g1', [
      change('short', 1, { expiresAtMs: clock.now() + 1000 }),
      change('long', 2, { expiresAtMs: clock.now() + 3_600_000 }),
      change('never', 3),
    ])
    return projection
  }

  const keysSeen = async (projection: TestedProjection): Promise<string[]> => {
    const query = { descending: false, limit: 10 }
    return found(await subject().store.views.page(projection.stored, query)).views.map(({ key }) => key)
  }

  describe('a view with an expiry', () => {
    test('is found until it expires', async () => {
      const { store, clock } = subject()
      const projection = await withExpiry()
      const expiresAtMs = clock.now() + 1000
      clock.advance(999)
      expect(found(await store.views.find(projection.stored, 'short'))).toMatchObject({ expiresAtMs })
      expect(await keysSeen(projection)).toEqual(['long', 'never', 'short'])
      clock.advance(1)
      expect(found(await store.views.find(projection.stored, 'short'))).toBeUndefined()
      expect(await keysSeen(projection)).toEqual(['long', 'never'])
    })

    test('is still read for the next commit until it is deleted', async () => {
      const { clock } = subject()
      const projection = await withExpiry()
      clock.advance(1000)
      expect(await projection.values('g1', ['short'])).toEqual({ short: 1 })
      expect(await projection.state('g1')).toMatchObject({ views: 3 })
      const expected = await projection.revision('g1', 'short')
      expect(await projection.commit('g1', { from: 1, to: 2, changes: [change('short', 5)] })).toBe(
        'view-changed',
      )
      const changes = [change('short', 5, { expected })]
      expect(await projection.commit('g1', { from: 1, to: 2, changes })).toBe('committed')
      expect(await keysSeen(projection)).toContain('short')
    })

    test('is deleted once by expire, and becomes unpublished', async () => {
      const { store, clock } = subject()
      const projection = await withExpiry()
      await projection.publishAll('g1')
      const revision = await projection.revision('g1', 'never')
      clock.advance(1000)
      const nowMs = clock.now()
      expect(await store.views.expire(projection.set('g1'), nowMs, 10)).toBe(1)
      expect(await store.views.expire(projection.set('g1'), nowMs, 10)).toBe(0)
      expect(await projection.values('g1', ['short', 'long', 'never'])).toEqual({ long: 2, never: 3 })
      expect(await projection.state('g1')).toMatchObject({ views: 2, unpublished: 1 })
      const gone = (await projection.unpublished('g1')).get('short')
      expect(gone).toMatchObject({ json: null, changedAtMs: nowMs })
      expect(gone?.revision).toBeGreaterThan(revision)
    })

    test('is deleted by the given time, not by the clock', async () => {
      const { store, clock } = subject()
      const projection = await withExpiry()
      const nowMs = clock.now()
      expect(await store.views.expire(projection.set('g1'), nowMs + 999, 10)).toBe(0)
      expect(await store.views.expire(projection.set('g1'), nowMs + 1000, 10)).toBe(1)
      expect((await projection.unpublished('g1')).get('short')).toMatchObject({ json: null })
    })

    test('once deleted is absent for the next commit', async () => {
      const { store, clock } = subject()
      const projection = await withExpiry()
      const expected = await projection.revision('g1', 'short')
      await store.views.expire(projection.set('g1'), clock.now() + 1000, 10)
      const onto = (revision: number) =>
        projection.commit('g1', { from: 1, to: 2, changes: [change('short', 5, { expected: revision })] })
      expect(await onto(expected)).toBe('view-changed')
      expect(await onto(0)).toBe('committed')
    })

    test('that was changed expires at its new time', async () => {
      const { store, clock } = subject()
      const projection = await withExpiry()
      const nowMs = clock.now()
      await projection.writeChanges('g1', [
        change('short', 1, { expiresAtMs: nowMs + 9000 }),
        change('long', 2),
        change('never', 3, { expiresAtMs: nowMs + 10 }),
      ])
      expect(await store.views.expire(projection.set('g1'), nowMs + 8999, 10)).toBe(1)
      expect(await projection.values('g1', ['short', 'long', 'never'])).toEqual({ short: 1, long: 2 })
      expect(await store.views.expire(projection.set('g1'), nowMs + 9_999_999, 10)).toBe(1)
      expect(await projection.values('g1', ['short', 'long', 'never'])).toEqual({ long: 2 })
    })

    test('that was deleted and recreated without an expiry does not expire', async () => {
      const { store, clock } = subject()
      const projection = await withExpiry()
      await projection.write('g1', { short: null })
      await projection.write('g1', { short: 7 })
      expect(await store.views.expire(projection.set('g1'), clock.now() + 1000, 10)).toBe(0)
      expect(await projection.values('g1', ['short'])).toEqual({ short: 7 })
    })
  })

  describe('deleting expired views', () => {
    test('stops at the limit', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection(['spend'])
      const keys = Array.from({ length: 7 }, (_, n) => `view ${n}`)
      const changes = keys.map((key, n) => change(key, n, { expiresAtMs: 100 + n, indexes: { spend: n } }))
      await projection.writeChanges('g1', changes)
      const counts: number[] = []
      for (let n = 0; n < 4; n += 1) counts.push(await store.views.expire(projection.set('g1'), 105, 4))
      expect(counts).toEqual([4, 2, 0, 0])
      expect(await projection.values('g1', keys)).toEqual({ 'view 6': 6 })
    })

    test('affects one generation, and does nothing for an unknown one', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.add('g2')
      for (const id of ['g1', 'g2']) await projection.write(id, { a: 1 }, { expiresAtMs: 5 })
      expect(await store.views.expire(projection.set('g2'), 5, 10)).toBe(1)
      expect(await store.views.expire(projection.set('g9'), 5, 10)).toBe(0)
      expect(await projection.values('g1', ['a'])).toEqual({ a: 1 })
    })
  })
}
