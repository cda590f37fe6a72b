import { describe, expect, test } from 'vitest'

import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { at, source } from '../tested-projection.ts'

export function lifecycleContract(subject: () => ViewStoreSubject): void {
  describe('generations', () => {
    test('are empty before the first one is added', async () => {
      const { store } = subject()
      const { stored } = await subject().freshProjection()
      expect(await store.generations.list(stored)).toEqual([])
    })

    test('survive a repeated prepare', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      await store.prepare(projection.stored)
      expect(await projection.statuses()).toEqual({ g1: 'serving' })
      expect(await projection.values('g1', ['a'])).toEqual({ a: 1 })
    })

    test('are returned with all fields that they were added with', async () => {
      const { store } = subject()
      const projection = await subject().freshProjection(['spend'])
      const serving = projection.newGeneration('g1', { viewVersion: 3, indexNames: ['spend', 'Last seen'] })
      const kept = projection.newGeneration('g2', {
        until: { beforeMs: 1234, exact: { source: 'eventstore.order:7', end: 9 } },
      })
      await store.generations.add(projection.stored, serving)
      await store.generations.add(projection.stored, kept)
      const nothing = { checkpoints: new Map(), stops: new Map(), views: 0, parked: 0, unpublished: 0 }
      expect(await store.generations.list(projection.stored)).toEqual([
        { ...serving, status: 'serving', ...nothing },
        { ...kept, status: 'kept', ...nothing },
      ])
    })

    test('are sorted by id', async () => {
      const projection = await subject().servingProjection()
      for (const id of ['g30', 'g2', 'g4']) await projection.add(id, { until: { beforeMs: 1 } })
      expect(Object.keys(await projection.statuses())).toEqual(['g1', 'g2', 'g30', 'g4'])
    })

    test('report their checkpoints, stops and counts', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      const parked = [{ position: at(3), error: 'no', parkedAtMs: 9 }]
      await projection.commit('g1', { partition: 1, to: 40 })
      await projection.write('g1', { a: 1, b: 2, c: 3 })
      await projection.publishAll('g1')
      await projection.commit('g1', { from: 1, to: 7, parked })
      await projection.write('g1', { a: 5 })
      const stop = { position: at(40, 1), error: 'broken', stoppedAtMs: 77 }
      await store.generations.stop(projection.set('g1'), source(1), stop)
      expect(await projection.state('g1')).toMatchObject({
        checkpoints: new Map([
          ['eventstore.order:0', 8],
          ['eventstore.order:1', 40],
        ]),
        stops: new Map([['eventstore.order:1', stop]]),
        views: 3,
        parked: 1,
        unpublished: 1,
      })
    })
  })

  describe('a generation that is added', () => {
    test('serves at once when none does; the next one is building', async () => {
      const projection = await subject().freshProjection()
      expect(await projection.add('g1')).toBe(true)
      expect(await projection.add('g2')).toBe(true)
      expect(await projection.statuses()).toEqual({ g1: 'serving', g2: 'building' })
    })

    test('retires one that was building', async () => {
      const projection = await subject().servingProjection()
      await projection.add('g2')
      expect(await projection.add('g3')).toBe(true)
      expect(await projection.statuses()).toEqual({ g1: 'serving', g2: 'retired', g3: 'building' })
    })

    test('for a look at the past is kept and changes no other', async () => {
      const projection = await subject().freshProjection()
      const until = { beforeMs: 1000 }
      expect(await projection.add('g1', { until })).toBe(true)
      expect(await projection.add('g2')).toBe(true)
      expect(await projection.add('g3')).toBe(true)
      expect(await projection.add('g4', { until })).toBe(true)
      expect(await projection.statuses()).toEqual({
        g1: 'kept',
        g2: 'serving',
        g3: 'building',
        g4: 'kept',
      })
    })

    test('under an existing id changes nothing', async () => {
      const projection = await subject().servingProjection()
      await projection.add('g2')
      await projection.write('g1', { a: 1 })
      expect(await projection.add('g1', { viewVersion: 9 })).toBe(false)
      expect(await projection.add('g2', { until: { beforeMs: 1 } })).toBe(false)
      expect(await projection.statuses()).toEqual({ g1: 'serving', g2: 'building' })
      expect(await projection.state('g1')).toMatchObject({ viewVersion: 1, views: 1 })
    })
  })

  describe('a generation added with insteadOf', () => {
    test('retires the named one, and serves at once if that one served', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      expect(await projection.add('g2', {}, { insteadOf: 'g1' })).toBe(true)
      expect(await projection.statuses()).toEqual({ g1: 'retired', g2: 'serving' })
      expect(await projection.values('g2', ['a'])).toEqual({})
    })

    test('leaves another building one alone', async () => {
      const projection = await subject().servingProjection()
      await projection.add('g2', { viewVersion: 2 })
      expect(await projection.add('g3', {}, { insteadOf: 'g1' })).toBe(true)
      expect(await projection.statuses()).toEqual({ g1: 'retired', g2: 'building', g3: 'serving' })
    })

    test('is building if the named one was', async () => {
      const projection = await subject().servingProjection()
      await projection.add('g2')
      expect(await projection.add('g3', {}, { insteadOf: 'g2' })).toBe(true)
      expect(await projection.statuses()).toEqual({ g1: 'serving', g2: 'retired', g3: 'building' })
    })

    test('is added by only one of many concurrent callers', async () => {
      const projection = await subject().servingProjection()
      const added = await Promise.all(
        ['g2', 'g3', 'g4'].map((id) => projection.add(id, {}, { insteadOf: 'g1' })),
      )
      expect(added.filter(Boolean)).toHaveLength(1)
      expect(Object.values(await projection.statuses()).sort()).toEqual(['retired', 'serving'])
    })

    test('is not added when the named one does not exist', async () => {
      const projection = await subject().servingProjection()
      expect(await projection.add('g3', {}, { insteadOf: 'g2' })).toBe(false)
      expect(await projection.statuses()).toEqual({ g1: 'serving' })
    })

    test('under an existing id changes nothing', async () => {
      const projection = await subject().servingProjection()
      await projection.add('g2')
      expect(await projection.add('g2', {}, { insteadOf: 'g1' })).toBe(false)
      expect(await projection.statuses()).toEqual({ g1: 'serving', g2: 'building' })
    })
  })

  describe('a generation added with ifNeeded', () => {
    const ifNeeded = { ifNeeded: true }

    test('is added when there is none', async () => {
      const projection = await subject().freshProjection()
      expect(await projection.add('g1', {}, ifNeeded)).toBe(true)
    })

    test.each([
      ['lower', 2, true],
      ['the same', 3, false],
      ['higher', 4, false],
    ])('when the serving view version is %s', async (_, serving, added) => {
      const projection = await subject().freshProjection()
      await projection.add('g1', { viewVersion: serving })
      expect(await projection.add('g2', { viewVersion: 3 }, ifNeeded)).toBe(added)
      expect(await projection.statuses()).toEqual({ g1: 'serving', ...(added && { g2: 'building' }) })
    })

    test.each([
      ['lower', 2, true],
      ['the same', 3, false],
      ['higher', 4, false],
    ])('when the building view version is %s', async (_, building, added) => {
      const projection = await subject().servingProjection()
      await projection.add('g2', { viewVersion: building })
      expect(await projection.add('g3', { viewVersion: 3 }, ifNeeded)).toBe(added)
      const statuses = added ? { g2: 'retired', g3: 'building' } : { g2: 'building' }
      expect(await projection.statuses()).toEqual({ g1: 'serving', ...statuses })
    })

    test('ignores kept and retired ones', async () => {
      const projection = await subject().servingProjection()
      await projection.add('g2', { viewVersion: 7 })
      await subject().store.generations.retire(projection.set('g2'))
      await projection.add('g3', { viewVersion: 7, until: { beforeMs: 1 } })
      expect(await projection.add('g4', { viewVersion: 2 }, ifNeeded)).toBe(true)
    })

    test('is added only once by many concurrent callers', async () => {
      const projection = await subject().servingProjection()
      const ids = Array.from({ length: 10 }, (_, n) => `g2-${n}`)
      const added = await Promise.all(ids.map((id) => projection.add(id, { viewVersion: 2 }, ifNeeded)))
      expect(added.filter(Boolean)).toHaveLength(1)
      expect(Object.values(await projection.statuses())).toEqual(['serving', 'building'])
    })
  })

  describe('retiring', () => {
    test('retires a building and a kept one; a repeated call returns true again', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.add('g2')
      await projection.add('g3', { until: { beforeMs: 1 } })
      for (const id of ['g2', 'g3', 'g3'])
        expect(await store.generations.retire(projection.set(id))).toBe(true)
      expect(await projection.statuses()).toEqual({ g1: 'serving', g2: 'retired', g3: 'retired' })
    })

    test('refuses the serving one and an unknown one', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      expect(await store.generations.retire(projection.set('g1'))).toBe(false)
      expect(await store.generations.retire(projection.set('g9'))).toBe(false)
      expect(await projection.statuses()).toEqual({ g1: 'serving' })
    })
  })
}
