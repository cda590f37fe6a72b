import { describe, expect, test } from 'vitest'

import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { change, type TestedProjection, topic } from '../tested-projection.ts'

const holdMs = 500

export function switchContract(subject: () => ViewStoreSubject): void {
  const switchTo = (projection: TestedProjection, id: string) =>
    subject().store.generations.switchTo(projection.set(id), holdMs)

  /** `g1` serves, `g2` is building; their checkpoints by partition. */
  const twoGenerations = async (
    serving: Readonly<Record<number, number>>,
    building: Readonly<Record<number, number>>,
  ): Promise<TestedProjection> => {
    const projection = await subject().servingProjection()
    await projection.add('g2', { viewVersion: 2 })
    for (const [id, checkpoints] of Object.entries({ g1: serving, g2: building })) {
      for (const [partition, offset] of Object.entries(checkpoints)) {
        await projection.moveTo(id, offset, Number(partition))
      }
    }
    return projection
  }

  describe('a switch', () => {
    test.each([
      ['level', { 0: 5, 1: 7 }, { 0: 5, 1: 7 }],
      ['ahead', { 0: 5, 1: 7 }, { 0: 6, 1: 7 }],
      ['ahead in number of digits', { 0: 9, 1: 99 }, { 0: 10, 1: 100 }],
      ['in more partitions', { 0: 5 }, { 0: 5, 1: 2 }],
      ['in any partition while the serving one is in none', {}, {}],
    ])('to a generation that is %s lets it serve and retires the other', async (_, serving, building) => {
      const projection = await twoGenerations(serving, building)
      expect(await switchTo(projection, 'g2')).toBe('switched')
      expect(await projection.statuses()).toEqual({ g1: 'retired', g2: 'serving' })
    })

    test.each([
      ['behind in one partition', { 0: 5, 1: 7 }, { 0: 50, 1: 6 }],
      ['behind in number of digits', { 0: 10 }, { 0: 9 }],
      ['without a checkpoint in one partition', { 0: 5, 1: 7 }, { 0: 5 }],
      ['without any checkpoint', { 3: 1 }, {}],
    ])('to a generation that is %s changes nothing', async (_, serving, building) => {
      const projection = await twoGenerations(serving, building)
      expect(await switchTo(projection, 'g2')).toBe('behind')
      expect(await projection.statuses()).toEqual({ g1: 'serving', g2: 'building' })
    })

    test('that is too early holds only the serving generation, for a while', async () => {
      const { clock } = subject()
      const projection = await twoGenerations({ 0: 5, 1: 1 }, { 0: 3 })
      await switchTo(projection, 'g2')
      expect(await projection.commit('g1', { from: 5, to: 6, changes: [change('a', 1)] })).toBe('held')
      expect(await projection.commit('g1', { from: 1, to: 2, partition: 1 })).toBe('held')
      expect(await projection.commit('g2', { from: 3, to: 4 })).toBe('committed')
      clock.advance(holdMs - 1)
      expect(await projection.commit('g1', { from: 5, to: 6 })).toBe('held')
      expect(await projection.values('g1', ['a'])).toEqual({})
      expect(await projection.checkpoint('g1')).toBe(5)
      clock.advance(1)
      expect(await projection.commit('g1', { from: 5, to: 6 })).toBe('committed')
    })

    test('can succeed while the serving generation is held', async () => {
      const projection = await twoGenerations({ 0: 5 }, { 0: 3 })
      expect(await switchTo(projection, 'g2')).toBe('behind')
      await projection.moveTo('g2', 5)
      expect(await switchTo(projection, 'g2')).toBe('switched')
      expect(await projection.commit('g2', { from: 5, to: 6 })).toBe('committed')
      expect(await projection.commit('g1', { from: 5, to: 6 })).toBe('gone')
    })

    test('that is too early again renews the hold', async () => {
      const { clock } = subject()
      const projection = await twoGenerations({ 0: 5 }, {})
      await switchTo(projection, 'g2')
      clock.advance(holdMs - 1)
      await switchTo(projection, 'g2')
      clock.advance(holdMs - 1)
      expect(await projection.commit('g1', { from: 5, to: 6 })).toBe('held')
      clock.advance(1)
      expect(await projection.commit('g1', { from: 5, to: 6 })).toBe('committed')
    })

    test.each<[string, Record<string, string>]>([
      ['another id', { [topic]: 'another id' }],
      ['none', {}],
    ])('does not compare partitions of a topic that has %s in the new generation', async (_, topicIds) => {
      const projection = await subject().servingProjection()
      await projection.moveTo('g1', 5)
      await projection.add('g2', { topicIds })
      expect(await switchTo(projection, 'g2')).toBe('switched')
    })

    test('compares partitions of an unchanged topic even if another topic was recreated', async () => {
      const projection = await subject().servingProjection()
      const { topicIds } = projection.newGeneration('g2')
      await projection.moveTo('g1', 5)
      await projection.add('g2', { topicIds: { ...topicIds, 'eventstore.other': 'another id' } })
      expect(await switchTo(projection, 'g2')).toBe('behind')
    })

    test('repeated reports that it has happened', async () => {
      const projection = await twoGenerations({}, {})
      await switchTo(projection, 'g2')
      expect(await switchTo(projection, 'g2')).toBe('switched')
      expect(await projection.statuses()).toEqual({ g1: 'retired', g2: 'serving' })
    })

    test('to a kept, retired or unknown generation is refused', async () => {
      const projection = await twoGenerations({}, {})
      await subject().store.generations.retire(projection.set('g2'))
      await projection.add('g3', { until: { beforeMs: 1 } })
      for (const id of ['g2', 'g3', 'g9']) expect(await switchTo(projection, id)).toBe('gone')
      expect(await projection.statuses()).toEqual({ g1: 'serving', g2: 'retired', g3: 'kept' })
    })
  })
}
