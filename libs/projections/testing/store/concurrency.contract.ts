import { describe, expect, test } from 'vitest'

import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { at, change, type TestedProjection } from '../tested-projection.ts'

const roundsMax = 10_000

export function storeConcurrencyContract(subject: () => ViewStoreSubject): void {
  /** Adds one to each key as the engine does: read, fold, commit, and again when a view has changed. */
  const addOne = async (
    projection: TestedProjection,
    keys: readonly string[],
    partition: number,
    from: number,
  ) => {
    const { store } = subject()
    for (let round = 0; round < roundsMax; round += 1) {
      const views = await store.views.read(projection.set('g1'), keys)
      const changes = keys.map((key) => {
        const view = views.get(key)
        const { n } = JSON.parse(view?.json ?? '{"n":0}') as { n: number }
        return change(key, n + 1, { expected: view?.revision ?? 0 })
      })
      const step = { partition, from: from === 0 ? undefined : from, to: from + 1, changes }
      const outcome = await projection.commit('g1', step)
      if (outcome === 'committed') return
      expect(outcome).toBe('view-changed')
    }
    throw new Error(`no commit in ${roundsMax} rounds`)
  }

  describe('concurrently', () => {
    test('one of many steps from the same checkpoint is committed', async () => {
      const projection = await subject().servingProjection()
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, n) => projection.commit('g1', { changes: [change(`view ${n}`, n)] })),
      )
      expect(outcomes.filter((outcome) => outcome === 'committed')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'checkpoint-moved')).toHaveLength(19)
      expect(await projection.state('g1')).toMatchObject({ views: 1 })
    })

    test('one of the steps in many partitions that create the same view is committed', async () => {
      const projection = await subject().servingProjection()
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, partition) =>
          projection.commit('g1', { partition, changes: [change('a', partition)] }),
        ),
      )
      expect(outcomes.filter((outcome) => outcome === 'committed')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'view-changed')).toHaveLength(9)
      expect((await projection.state('g1')).checkpoints.size).toBe(1)
    })

    test('partitions that change the same views in any order count every event once', async () => {
      const projection = await subject().servingProjection()
      const orders = [
        ['a', 'b', 'c'],
        ['c', 'b', 'a'],
        ['b', 'a', 'c'],
        ['a', 'c'],
      ]
      await Promise.all(
        orders.map(async (keys, partition) => {
          for (let from = 0; from < 10; from += 1) await addOne(projection, keys, partition, from)
        }),
      )
      expect(await projection.values('g1', ['a', 'b', 'c'])).toEqual({ a: 40, b: 30, c: 40 })
    })

    test('commits and a switch never take a reader back in time', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.add('g2')
      await projection.moveTo('g1', 1)
      /** A reader that has seen an event applied in the serving generation finds it from then on. */
      const run = async (id: string): Promise<void> => {
        for (let offset = id === 'g1' ? 1 : 0; offset < 100; offset += 1) {
          const outcome = await projection.commit(id, { from: offset || undefined, to: offset + 1 })
          if (outcome === 'gone') return
          expect(outcome).toBe('committed')
          if (id === 'g2') continue
          const lookup = await store.views.find(projection.stored, 'a', { after: at(offset) })
          expect(lookup.outcome).toBe('found')
        }
      }
      const switching = async (): Promise<void> => {
        for (let round = 0; round < roundsMax; round += 1) {
          if ((await store.generations.switchTo(projection.set('g2'), 0)) === 'switched') return
        }
        throw new Error(`no switch in ${roundsMax} rounds`)
      }
      await Promise.all([run('g1'), run('g2'), switching()])
      expect(await projection.statuses()).toEqual({ g1: 'retired', g2: 'serving' })
      expect(await projection.checkpoint('g2')).toBe(100)
    })
  })
}
