import { describe, expect, test } from 'vitest'

import type { Stop } from '../../view-store/generations.ts'
import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { at, source, type TestedProjection } from '../tested-projection.ts'

const because = (error: string, partition = 0): Stop => ({
  position: at(5, partition),
  error,
  stoppedAtMs: 1234,
})

export function stopsContract(subject: () => ViewStoreSubject): void {
  const stop = (projection: TestedProjection, id: string, partition: number, error = 'broken') =>
    subject().store.generations.stop(projection.set(id), source(partition), because(error, partition))

  const stopsOf = async (projection: TestedProjection, id: string) => (await projection.state(id)).stops

  describe('a stopped partition', () => {
    test('has the last reason given', async () => {
      const projection = await subject().servingProjection()
      await stop(projection, 'g1', 1, 'Zoë’s "order" is broken\n\tat a line')
      await stop(projection, 'g1', 2, 'first')
      await stop(projection, 'g1', 2, 'second')
      expect(await stopsOf(projection, 'g1')).toEqual(
        new Map([
          ['eventstore.order:1', because('Zoë’s "order" is broken\n\tat a line', 1)],
          ['eventstore.order:2', because('second', 2)],
        ]),
      )
    })

    test('is stopped in its generation only; an unknown generation stores no stop', async () => {
      const projection = await subject().servingProjection()
      await projection.add('g2')
      await stop(projection, 'g2', 1)
      await stop(projection, 'g9', 1)
      expect(await stopsOf(projection, 'g1')).toEqual(new Map())
      expect(await projection.statuses()).toEqual({ g1: 'serving', g2: 'building' })
    })

    test('stays stopped through commits', async () => {
      const projection = await subject().servingProjection()
      await stop(projection, 'g1', 0)
      expect(await projection.commit('g1', { to: 4 })).toBe('committed')
      expect([...(await stopsOf(projection, 'g1')).keys()]).toEqual(['eventstore.order:0'])
    })
  })

  describe('resuming', () => {
    test('removes all stops of all generations and counts them', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.add('g2')
      for (const partition of [0, 1, 2]) await stop(projection, 'g1', partition)
      await stop(projection, 'g2', 1)
      expect(await store.generations.resume(projection.stored)).toBe(4)
      expect(await store.generations.resume(projection.stored)).toBe(0)
      for (const id of ['g1', 'g2']) expect(await stopsOf(projection, id)).toEqual(new Map())
    })

    test('removes only the stops of the given partition', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.add('g2')
      for (const partition of [1, 10]) await stop(projection, 'g1', partition)
      await stop(projection, 'g2', 1)
      expect(await store.generations.resume(projection.stored, source(1))).toBe(2)
      expect(await store.generations.resume(projection.stored, source(1))).toBe(0)
      expect([...(await stopsOf(projection, 'g1')).keys()]).toEqual(['eventstore.order:10'])
      expect(await stopsOf(projection, 'g2')).toEqual(new Map())
    })

    test('removes none when there is no generation', async () => {
      const { stored } = await subject().freshProjection()
      expect(await subject().store.generations.resume(stored)).toBe(0)
      expect(await subject().store.generations.resume(stored, source())).toBe(0)
    })
  })
}
