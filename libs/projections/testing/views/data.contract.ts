import { describe, expect, test } from 'vitest'

import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { change, found, jsonOf } from '../tested-projection.ts'

const longName =
  'a-projection-with-a-name-of-a-hundred-characters-which-is-as-long-as-a-name-may-be-and-some-more-'

export function dataContract(subject: () => ViewStoreSubject): void {
  describe('a view', () => {
    test.each<[string, unknown]>([
      ['text of all kinds', { 'a "b" \\ ’': "Zoë 漢字 😀 \n\t\u2028 {}%$1 :x ? '; --", '': '' }],
      ['characters that some databases cannot store', { nul: 'a\u0000b', half: '\ud83d', last: '\uffff' }],
      ['numbers of all sizes', [0, -1.5, 1e300, 5e-324, 0.1, 9007199254740991, 123456789.123456789]],
      ['nested and empty values', { list: [[], {}, null, [true, false]], object: { a: { b: {} } } }],
      ['a bare string', 'null'],
      ['a bare null', null],
      ['a bare number', 0],
      ['an empty list', []],
      ['a megabyte', 'Zoë '.repeat(200_000)],
    ])('may be %s', async (_, data) => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.writeChanges('g1', [{ ...change('a', 0), json: JSON.stringify(data) }])
      const views = [
        found(await store.views.find(projection.stored, 'a')),
        (await store.views.read(projection.set('g1'), ['a'])).get('a'),
        found(await store.views.page(projection.stored, { descending: false, limit: 1 })).views[0],
        (await projection.unpublished('g1')).get('a'),
      ]
      for (const view of views) expect(JSON.parse(view?.json ?? '"nothing"')).toEqual(data)
    })

    test.each([
      '__proto__',
      'constructor',
      ' ',
      'a:b',
      '{a}',
      '*',
      '%',
      "'; --",
      '\n',
      'é',
      '😀',
      'x'.repeat(1024),
    ])('may have the key %j', async (key) => {
      const { store } = subject()
      const projection = await subject().servingProjection(['spend'])
      await projection.writeChanges('g1', [change(key, 1, { indexes: { spend: 1 } }), change('other', 2)])
      const expected = await projection.revision('g1', key)
      await projection.writeChanges('g1', [change(key, 3, { indexes: { spend: 2 } })])
      expect(await projection.revision('g1', key)).toBeGreaterThan(expected)
      expect(found(await store.views.find(projection.stored, key))).toMatchObject({ json: jsonOf(3) })
      expect((await projection.unpublished('g1')).get(key)).toMatchObject({ json: jsonOf(3) })
      await projection.writeChanges('g1', [change(key, null)])
      expect(found(await store.views.find(projection.stored, key))).toBeUndefined()
      expect(await projection.state('g1')).toMatchObject({ views: 1, unpublished: 2 })
    })

    test('is distinct from one whose key differs in case, spaces or Unicode normalization', async () => {
      const projection = await subject().servingProjection()
      const keys = ['a', 'A', 'a ', ' a', 'é', 'e\u0301']
      await projection.write('g1', Object.fromEntries(keys.map((key, n) => [key, n])))
      const values = await projection.values('g1', keys)
      expect(keys.map((key) => values[key])).toEqual([0, 1, 2, 3, 4, 5])
    })
  })

  test.each([...Object.getOwnPropertyNames(Object.prototype), 'key', 'view', 'revision', 'null', 'string'])(
    'an index may have the name %s',
    async (name) => {
      const { store } = subject()
      const projection = await subject().servingProjection([name, 'spend'])
      const figures = (spend: number) =>
        Object.fromEntries([[name, -spend] as const, ['spend', spend] as const])
      const changes = ['a', 'b', 'c'].map((key, n) => change(key, n, { indexes: figures(n) }))
      await projection.writeChanges('g1', changes)
      for (const [orderBy, keys] of [[name, 'c b a'] as const, ['spend', 'a b c'] as const]) {
        const { views } = found(
          await store.views.page(projection.stored, { orderBy, descending: false, limit: 9 }),
        )
        expect(views.map(({ key }) => key).join(' ')).toBe(keys)
      }
    },
  )

  describe('a step', () => {
    test('may be large', async () => {
      const projection = await subject().servingProjection(['spend'])
      const keys = Array.from({ length: 10_000 }, (_, n) => `view ${n}`)
      const changes = keys.map((key, n) => change(key, n, { indexes: { spend: -n } }))
      await projection.writeChanges('g1', changes)
      await projection.writeChanges('g1', changes)
      expect(await projection.state('g1')).toMatchObject({ views: 10_000, unpublished: 10_000 })
      expect(Object.keys(await projection.values('g1', keys))).toHaveLength(10_000)
      const query = { orderBy: 'spend', descending: false, limit: 1 }
      const [first] = found(await subject().store.views.page(projection.stored, query)).views
      expect(first?.key).toBe('view 9999')
      await projection.publishAll('g1')
      expect(await projection.state('g1')).toMatchObject({ unpublished: 0 })
    })

    test('may have the largest possible offset', async () => {
      const projection = await subject().servingProjection()
      const to = Number.MAX_SAFE_INTEGER
      expect(await projection.commit('g1', { to: to - 1 })).toBe('committed')
      expect(await projection.commit('g1', { from: to, to })).toBe('checkpoint-moved')
      expect(await projection.commit('g1', { from: to - 1, to })).toBe('committed')
      expect(await projection.checkpoint('g1')).toBe(to)
    })

    test('may read and commit no keys', async () => {
      const projection = await subject().servingProjection()
      expect(await projection.values('g1', [])).toEqual({})
      expect(await projection.values('g9', ['a'])).toEqual({})
    })
  })

  describe('projections', () => {
    test('do not interfere, however similar their names are', async () => {
      const { store } = subject()
      const names = [longName + 'a', longName + 'b', longName.slice(0, 63), 'p-views', 'p', 'p--views']
      const projections = await Promise.all(names.map((name) => subject().projection(name, ['spend'])))
      for (const [n, projection] of projections.entries()) {
        await projection.add('g1')
        await projection.write('g1', { a: n }, { indexes: { spend: n } })
      }
      for (const [n, projection] of projections.entries()) {
        expect(await projection.values('g1', ['a'])).toEqual({ a: n })
        expect(await projection.state('g1')).toMatchObject({ views: 1, unpublished: 1 })
        const query = { orderBy: 'spend', descending: false, limit: 10 }
        expect(found(await store.views.page(projection.stored, query)).views).toMatchObject([
          { json: jsonOf(n) },
        ])
      }
    })

    test('can be prepared concurrently', async () => {
      const { stored } = await subject().freshProjection()
      const other = { ...stored, name: `${stored.name}-2`, indexNames: ['spend'] }
      await Promise.all(Array.from({ length: 8 }, () => subject().store.prepare(other)))
      expect(await subject().store.generations.list(other)).toEqual([])
    })

    test('can be prepared again with other indexes', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection(['spend'])
      await projection.write('g1', { a: 1 }, { indexes: { spend: 1 } })
      const again = await subject().projection(projection.stored.name, ['visits'])
      await again.add('g2')
      await again.write('g2', { a: 1, b: 2 }, { indexes: { visits: 7 } })
      const query = { orderBy: 'visits', descending: true, limit: 10 }
      expect(found(await store.views.page(again.stored, query)).views).toEqual([])
      await store.generations.switchTo(again.set('g2'), 1000)
      expect(found(await store.views.page(again.stored, query)).views.map(({ key }) => key)).toEqual([
        'b',
        'a',
      ])
    })
  })

  test('a store that lost everything lists no generation and accepts a new one', async (context) => {
    const { store, loseAll } = subject()
    if (loseAll === undefined) {
      context.skip()
      return
    }
    const projection = await subject().servingProjection(['spend'])
    await projection.write('g1', { a: 1 }, { indexes: { spend: 1 } })
    await loseAll()
    expect(await store.generations.list(projection.stored)).toEqual([])
    expect(await projection.commit('g1', { from: 1, to: 2 })).toBe('gone')
    expect(await store.views.find(projection.stored, 'a')).toEqual({ outcome: 'no-generation' })
    expect(await projection.add('g2')).toBe(true)
    expect(await projection.commit('g2', { from: 1, to: 2 })).toBe('checkpoint-moved')
    await projection.write('g2', { b: 2 })
    expect(await projection.state('g2')).toMatchObject({ status: 'serving', views: 1 })
  })
}
