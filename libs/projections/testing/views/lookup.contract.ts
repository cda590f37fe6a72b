import { describe, expect, test } from 'vitest'

import { position } from '#domain'

import type { ViewLookup } from '../../view-store/views.ts'
import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { at, change, jsonOf, type TestedProjection } from '../tested-projection.ts'

export function lookupContract(subject: () => ViewStoreSubject): void {
  const view = (projection: TestedProjection, key: string, lookup?: ViewLookup) =>
    subject().store.views.find(projection.stored, key, lookup)

  describe('a lookup', () => {
    test('finds a view of the serving generation', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 7 }, { changedAtMs: 4321 })
      expect(await view(projection, 'a')).toEqual({
        outcome: 'found',
        generation: 'g1',
        found: { json: jsonOf(7), revision: await projection.revision('g1', 'a'), changedAtMs: 4321 },
      })
    })

    test('distinguishes a missing view from a missing generation', async () => {
      const projection = await subject().freshProjection()
      expect(await view(projection, 'a')).toEqual({ outcome: 'no-generation' })
      await projection.add('g1')
      expect(await view(projection, 'a')).toEqual({ outcome: 'found', generation: 'g1' })
    })

    test('sees one generation until the switch and the other afterwards', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1 })
      await projection.add('g2')
      await projection.write('g2', { a: 2 })
      expect(await view(projection, 'a')).toMatchObject({ generation: 'g1', found: { json: jsonOf(1) } })
      await store.generations.switchTo(projection.set('g2'), 1000)
      expect(await view(projection, 'a')).toMatchObject({ generation: 'g2', found: { json: jsonOf(2) } })
    })

    test('finds a view of a named generation until that is retired', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.add('g2')
      await projection.add('g3', { until: { beforeMs: 1 } })
      await projection.write('g2', { a: 2 })
      await projection.write('g3', { a: 3 })
      const found = (id: string, n: number) => ({
        outcome: 'found',
        generation: id,
        found: { json: jsonOf(n) },
      })
      expect(await view(projection, 'a', { generation: 'g2' })).toMatchObject(found('g2', 2))
      expect(await view(projection, 'a', { generation: 'g3' })).toMatchObject(found('g3', 3))
      expect(await view(projection, 'a', { generation: 'g9' })).toEqual({ outcome: 'no-generation' })
      await store.generations.retire(projection.set('g2'))
      expect(await view(projection, 'a', { generation: 'g2' })).toEqual({ outcome: 'no-generation' })
    })

    test('with after finds a view once the event is applied', async () => {
      const projection = await subject().servingProjection()
      expect(await view(projection, 'a', { after: at(0) })).toEqual({ outcome: 'behind' })
      await projection.commit('g1', { to: 10, changes: [change('a', 1)] })
      expect(await view(projection, 'a', { after: at(9) })).toMatchObject({
        outcome: 'found',
        generation: 'g1',
      })
      expect(await view(projection, 'a', { after: at(10) })).toEqual({ outcome: 'behind' })
      await projection.moveTo('g1', 100)
      expect(await view(projection, 'a', { after: at(99) })).toMatchObject({ outcome: 'found' })
    })

    test('with after considers the event’s own partition, topic and generation', async () => {
      const projection = await subject().servingProjection()
      await projection.moveTo('g1', 10)
      await projection.add('g2')
      const behind = { outcome: 'behind' }
      expect(await view(projection, 'a', { after: at(3, 1) })).toEqual(behind)
      expect(await view(projection, 'a', { after: position('eventstore.other', 0, 3) })).toEqual(behind)
      expect(await view(projection, 'a', { after: at(3), generation: 'g2' })).toEqual(behind)
      expect(await view(projection, 'a', { after: at(3), generation: 'g9' })).toEqual({
        outcome: 'no-generation',
      })
    })
  })
}
