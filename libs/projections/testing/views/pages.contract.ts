import { describe, expect, test } from 'vitest'

import type { KeyedView, ViewPageQuery } from '../../view-store/views.ts'
import type { ViewStoreSubject } from '../view-store-under-test.ts'
import { at, change, found, jsonOf, type TestedProjection } from '../tested-projection.ts'

/** In the order of their UTF-8 bytes. UTF-16 code units would reverse the last two. */
const oddKeys = [
  ' ',
  ' a',
  '"',
  '%',
  '*',
  '-1',
  '1',
  '10',
  '2',
  ':',
  'A',
  'Z',
  '[a]',
  '\\',
  "a'b",
  'a:b',
  'a{b}',
  'z',
  'ß',
  'é',
  '漢字',
  '\uffee',
  '😀',
]

/** In order. Some are equal, and some cannot be represented exactly in many formats. */
const figures = [
  -1.7976931348623157e308, -1e21, -10, -9.5, -9, -5e-324, 0, 5e-324, 0.1, 0.30000000000000004, 2, 2, 2, 10,
  9007199254740991, 1e21, 1.7976931348623157e308,
]

type PageQuery = Partial<ViewPageQuery>

export function pagesContract(subject: () => ViewStoreSubject): void {
  const page = async (projection: TestedProjection, query: PageQuery) =>
    found(await subject().store.views.page(projection.stored, { descending: false, limit: 100, ...query }))

  /** All views from the cursor on, page by page. */
  const walk = async (projection: TestedProjection, query: PageQuery): Promise<KeyedView[]> => {
    const views: KeyedView[] = []
    let cursor = query.cursor
    for (let pages = 0; pages < 100; pages += 1) {
      const { views: some, next } = await page(projection, { ...query, ...(cursor && { cursor }) })
      expect(some.length).toBeLessThanOrEqual(query.limit ?? 100)
      views.push(...some)
      if (next === undefined) return views
      cursor = next
    }
    throw new Error('the pages do not end')
  }

  const walkKeys = async (projection: TestedProjection, query: PageQuery): Promise<string[]> =>
    (await walk(projection, query)).map(({ key }) => key)

  const withOddKeys = async (): Promise<TestedProjection> => {
    const projection = await subject().servingProjection()
    await projection.writeChanges(
      'g1',
      oddKeys.toReversed().map((key, n) => change(key, n)),
    )
    return projection
  }

  /** The key of the nth figure. Among equal figures the keys rise. */
  const keyOf = (n: number): string => `view ${n + 10}`

  const withFigures = async (): Promise<TestedProjection> => {
    const projection = await subject().servingProjection(['spend', 'mirrored'])
    const changes = figures.map((figure, n) =>
      change(keyOf(n), n, { indexes: { spend: figure, mirrored: -n } }),
    )
    await projection.writeChanges('g1', changes.toReversed())
    return projection
  }

  const keysByFigure = figures.map((_, n) => keyOf(n))

  describe('a page', () => {
    test('is empty without views; without a generation there is no page', async () => {
      const projection = await subject().freshProjection(['spend'])
      const query = { descending: false, limit: 10 }
      expect(await subject().store.views.page(projection.stored, query)).toEqual({ outcome: 'no-generation' })
      await projection.add('g1')
      for (const by of [{}, { orderBy: 'spend' }]) {
        expect(await subject().store.views.page(projection.stored, { ...query, ...by })).toEqual({
          outcome: 'found',
          generation: 'g1',
          found: { views: [] },
        })
      }
    })

    test('has all fields of each view', async () => {
      const { store, clock } = subject()
      const projection = await subject().servingProjection(['spend'])
      const expiresAtMs = clock.now() + 1000
      await projection.write('g1', { a: 1 }, { expiresAtMs, changedAtMs: 777, indexes: { spend: 5 } })
      const view = found(await store.views.find(projection.stored, 'a'))
      expect(view).toMatchObject({ expiresAtMs, changedAtMs: 777 })
      expect(await page(projection, {})).toEqual({ views: [{ key: 'a', ...view }] })
      expect(await page(projection, { orderBy: 'spend' })).toEqual({
        views: [{ key: 'a', figure: 5, ...view }],
      })
    })

    test('accepts after and generation as any lookup does', async () => {
      const { store } = subject()
      const projection = await subject().servingProjection()
      await projection.add('g2')
      await projection.write('g2', { a: 2 })
      const query = { descending: false, limit: 10 }
      const lookUp = (more: PageQuery) => store.views.page(projection.stored, { ...query, ...more })
      expect(await lookUp({ after: at(0) })).toEqual({ outcome: 'behind' })
      expect(await lookUp({ after: at(0), generation: 'g2' })).toMatchObject({
        outcome: 'found',
        generation: 'g2',
        found: { views: [{ key: 'a' }] },
      })
      expect(await lookUp({ after: at(1), generation: 'g2' })).toEqual({ outcome: 'behind' })
      expect(await lookUp({ generation: 'g9' })).toEqual({ outcome: 'no-generation' })
    })

    test('is the last one when no view is left', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { a: 1, b: 2, c: 3 })
      const first = await page(projection, { limit: 2 })
      expect(first.views.map(({ key }) => key)).toEqual(['a', 'b'])
      expect(first.next).toBeDefined()
      expect((await page(projection, { limit: 4 })).next).toBeUndefined()
    })
  })

  describe('pages by key', () => {
    test('follow the order of the keys’ UTF-8 bytes, for any characters', async () => {
      const projection = await withOddKeys()
      expect(await walkKeys(projection, {})).toEqual(oddKeys)
      expect(await walkKeys(projection, { descending: true })).toEqual(oddKeys.toReversed())
    })

    test('hold every view once, for every page size', async () => {
      const projection = await withOddKeys()
      for (let limit = 1; limit <= oddKeys.length + 1; limit += 1) {
        expect(await walkKeys(projection, { limit })).toEqual(oddKeys)
        expect(await walkKeys(projection, { limit, descending: true })).toEqual(oddKeys.toReversed())
      }
    })

    test('start right after the cursor, whether or not its view exists', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { b: 1, d: 2, f: 3 })
      const from = (key: string, descending: boolean) => walkKeys(projection, { cursor: { key }, descending })
      expect(await from('b', false)).toEqual(['d', 'f'])
      expect(await from('c', false)).toEqual(['d', 'f'])
      expect(await from('f', false)).toEqual([])
      expect(await from('f', true)).toEqual(['d', 'b'])
      expect(await from('e', true)).toEqual(['d', 'b'])
      expect(await from('a', true)).toEqual([])
    })

    test('continue while views are created, deleted and changed', async () => {
      const projection = await subject().servingProjection()
      await projection.write('g1', { b: 1, d: 2, f: 3, h: 4 })
      const first = await page(projection, { limit: 2 })
      await projection.write('g1', { a: 1, d: null, e: 5, f: null, h: 9 })
      const cursor = first.next ?? { key: '' }
      expect(await walk(projection, { limit: 1, cursor })).toMatchObject([
        { key: 'e', json: jsonOf(5) },
        { key: 'h', json: jsonOf(9) },
      ])
    })
  })

  describe('pages by an index', () => {
    test('are sorted by figure and then by key, in both directions', async () => {
      const projection = await withFigures()
      expect(await walkKeys(projection, { orderBy: 'spend' })).toEqual(keysByFigure)
      expect(await walkKeys(projection, { orderBy: 'spend', descending: true })).toEqual(
        keysByFigure.toReversed(),
      )
      expect(await walkKeys(projection, { orderBy: 'mirrored' })).toEqual(keysByFigure.toReversed())
    })

    test('hold every view once, for every page size', async () => {
      const projection = await withFigures()
      for (let limit = 1; limit <= figures.length + 1; limit += 1) {
        const query = { orderBy: 'spend', limit }
        expect(await walkKeys(projection, query)).toEqual(keysByFigure)
        expect(await walkKeys(projection, { ...query, descending: true })).toEqual(keysByFigure.toReversed())
      }
    })

    test('of equal figures follow the order of the keys’ UTF-8 bytes, for every page size', async () => {
      const projection = await subject().servingProjection(['spend'])
      const changes = oddKeys.map((key, n) => change(key, n, { indexes: { spend: n % 2 === 0 ? 0 : -0 } }))
      await projection.writeChanges('g1', changes)
      for (const limit of [1, 2, 5, 100]) {
        const query = { orderBy: 'spend', limit }
        expect(await walkKeys(projection, query)).toEqual(oddKeys)
        expect(await walkKeys(projection, { ...query, descending: true })).toEqual(oddKeys.toReversed())
      }
    })

    test('start right after the cursor’s figure and key, whether or not its view exists', async () => {
      const projection = await subject().servingProjection(['spend'])
      const spend = (key: string, figure: number) => change(key, 0, { indexes: { spend: figure } })
      await projection.writeChanges('g1', [spend('a', 5), spend('c', 5), spend('e', 5), spend('b', 7.5)])
      const from = (key: string, figure: number, descending = false) =>
        walkKeys(projection, { orderBy: 'spend', cursor: { key, figure }, descending })
      expect(await from('a', 5)).toEqual(['c', 'e', 'b'])
      expect(await from('d', 5)).toEqual(['e', 'b'])
      expect(await from('z', 4.99)).toEqual(['a', 'c', 'e', 'b'])
      expect(await from('e', 5)).toEqual(['b'])
      expect(await from('b', 7.5)).toEqual([])
      expect(await from('b', 7.5, true)).toEqual(['e', 'c', 'a'])
      expect(await from('d', 5, true)).toEqual(['c', 'a'])
      expect(await from('a', 6, true)).toEqual(['e', 'c', 'a'])
    })

    test('follow a view to its new figure and drop a deleted one', async () => {
      const projection = await subject().servingProjection(['spend', 'visits'])
      const spend = (key: string, figure: number) =>
        change(key, figure, { indexes: { spend: figure, visits: 1 } })
      await projection.writeChanges('g1', [spend('a', 1), spend('b', 2), spend('c', 3)])
      await projection.writeChanges('g1', [spend('a', 2.5), change('c', null)])
      expect(await walk(projection, { orderBy: 'spend' })).toMatchObject([
        { key: 'b', json: jsonOf(2) },
        { key: 'a', json: jsonOf(2.5) },
      ])
      expect(await walkKeys(projection, { orderBy: 'visits' })).toEqual(['a', 'b'])
    })

    test('may miss or repeat only a view whose figure changes in between', async () => {
      const projection = await subject().servingProjection(['spend'])
      const spend = (key: string, figure: number) => change(key, 0, { indexes: { spend: figure } })
      await projection.writeChanges('g1', [spend('a', 1), spend('b', 2), spend('c', 3), spend('d', 4)])
      const first = await page(projection, { orderBy: 'spend', limit: 2 })
      await projection.writeChanges('g1', [spend('b', 9), spend('a', 0)])
      const cursor = first.next ?? { key: '' }
      expect(await walkKeys(projection, { orderBy: 'spend', cursor })).toEqual(['c', 'd', 'b'])
    })

    test('accept any index name', async () => {
      const names = ['lastSeenMs', 'a b', 'a"b\'c', 'a:b{c}', 'Größe', '__proto__', 'x'.repeat(80)]
      const projection = await subject().servingProjection(names)
      const changes = ['a', 'b', 'c'].map((key, n) =>
        change(key, n, { indexes: Object.fromEntries(names.map((name, i) => [name, i % 2 === 0 ? n : -n])) }),
      )
      await projection.writeChanges('g1', changes)
      for (const [i, orderBy] of names.entries()) {
        expect(await walkKeys(projection, { orderBy })).toEqual(
          i % 2 === 0 ? ['a', 'b', 'c'] : ['c', 'b', 'a'],
        )
      }
    })

    test('leave out views without a figure for it', async () => {
      const projection = await subject().servingProjection(['spend', 'visits'])
      await projection.writeChanges('g1', [change('a', 1, { indexes: { spend: 1 } })])
      expect(await walkKeys(projection, { orderBy: 'visits' })).toEqual([])
      expect(await walkKeys(projection, { orderBy: 'spend' })).toEqual(['a'])
    })
  })

  test('expired views are on no page, and those after them are found', async () => {
    const { clock } = subject()
    const projection = await subject().servingProjection(['spend'])
    const expiresAtMs = clock.now() + 1000
    const changes = Array.from({ length: 30 }, (_, n) =>
      change(keyOf(n), n, { indexes: { spend: n }, ...(n % 7 !== 3 && { expiresAtMs }) }),
    )
    await projection.writeChanges('g1', changes)
    clock.advance(1000)
    const left = [3, 10, 17, 24].map(keyOf)
    for (const by of [{}, { orderBy: 'spend' }]) {
      for (const limit of [1, 2, 3, 10]) {
        expect(await walkKeys(projection, { ...by, limit })).toEqual(left)
        expect(await walkKeys(projection, { ...by, limit, descending: true })).toEqual(left.toReversed())
      }
    }
  })
}
