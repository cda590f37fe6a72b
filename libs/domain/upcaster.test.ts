import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'

import { createUpcasterChain, defineUpcaster, type Upcaster } from './upcaster.ts'

/** Records each step in the data, which then shows their order and number. */
const step = (fromVersion: number, eventType = 'Placed'): Upcaster =>
  defineUpcaster<{ steps: readonly number[] }, { steps: readonly number[] }>({
    aggregateType: 'order',
    eventType,
    fromVersion,
    upcast: ({ steps }) => ({ steps: [...steps, fromVersion] }),
  })

const fresh = { steps: [] }

describe('a chain of upcasters', () => {
  test('runs single steps from oldest to newest, in any order of the list', () => {
    const chain = createUpcasterChain([step(3), step(1), step(2)])
    expect(chain.upcast('order', 'Placed', 1, 4, fresh)).toEqual({ steps: [1, 2, 3] })
    expect(chain.upcast('order', 'Placed', 2, 3, fresh)).toEqual({ steps: [2] })
  })

  test('passes data unchanged when there is no step, or a step is compatible', () => {
    const chain = createUpcasterChain([step(2)])
    expect(chain.upcast('order', 'Placed', 2, 2, fresh)).toBe(fresh)
    expect(chain.upcast('order', 'Placed', 1, 2, fresh)).toBe(fresh)
    expect(chain.upcast('order', 'Placed', 1, 4, fresh)).toEqual({ steps: [2] })
  })

  test('distinguishes aggregates and events', () => {
    const chain = createUpcasterChain([step(1), step(1, 'Shipped')])
    expect(chain.upcast('order', 'Other', 1, 2, fresh)).toBe(fresh)
    expect(chain.upcast('customer', 'Placed', 1, 2, fresh)).toBe(fresh)
    expect(chain.has('order', 'Shipped', 1)).toBe(true)
    expect(chain.has('order', 'Shipped', 2)).toBe(false)
  })

  test('from N to M equals N to any version between, and from there to M', () => {
    const cuts = fc
      .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }))
      .map((versions) => versions.toSorted((a, b) => a - b))
    const steps = fc
      .uniqueArray(fc.integer({ min: 1, max: 7 }))
      .map((versions) => versions.map((v) => step(v)))
    fc.assert(
      fc.property(steps, cuts, (upcasters, [from = 1, cut = 1, to = 1]) => {
        const chain = createUpcasterChain(upcasters)
        const upcast = (a: number, b: number, data: unknown) => chain.upcast('order', 'Placed', a, b, data)
        expect(upcast(cut, to, upcast(from, cut, fresh))).toEqual(upcast(from, to, fresh))
        const expected = upcasters.map(({ fromVersion }) => fromVersion).filter((v) => v >= from && v < to)
        expect(upcast(from, to, fresh)).toEqual({ steps: expected.toSorted((a, b) => a - b) })
      }),
    )
  })

  test('rejects two upcasters for one step', () => {
    expect(() => createUpcasterChain([step(1), step(2), step(1)])).toThrow(
      'two upcasters for order.Placed from version 1 to 2: expected at most one',
    )
  })

  test('rejects data that was written by a newer domain module', () => {
    expect(() => createUpcasterChain([]).upcast('order', 'Placed', 3, 2, fresh)).toThrow(
      expect.objectContaining({
        path: 'schemaVersion',
        message: expect.stringContaining('order.Placed was written with schema version 3') as string,
      }),
    )
  })

  test.each([
    [new Error('no customer'), 'no customer'],
    ['no customer', 'no customer'],
  ])('reports the step that fails with %s, and keeps the cause', (cause, reason) => {
    const failing: Upcaster = {
      ...step(2),
      upcast: () => {
        throw cause as Error
      },
    }
    expect(() => createUpcasterChain([step(1), failing]).upcast('order', 'Placed', 1, 3, fresh)).toThrow(
      expect.objectContaining({
        path: 'data',
        message: `upcaster for order.Placed from version 2 to 3 failed: ${reason}`,
        cause,
      }),
    )
  })
})

describe('an upcaster', () => {
  test.each([0, -1, 1.5, NaN])('from version %s is rejected', (fromVersion) => {
    expect(() => step(fromVersion)).toThrow(/has fromVersion .*: expected a whole number from 1$/)
  })

  test('is typed by the data before and after', () => {
    defineUpcaster<{ customer: string }, { customerId: string }>({
      aggregateType: 'order',
      eventType: 'Placed',
      fromVersion: 1,
      upcast: (data) => {
        expectTypeOf(data).toEqualTypeOf<{ customer: string }>()
        return { customerId: data.customer }
      },
    })
    defineUpcaster<{ customer: string }, { customerId: string }>({
      aggregateType: 'order',
      eventType: 'Placed',
      fromVersion: 1,
      // @ts-expect-error The new field is called customerId.
      upcast: ({ customer }) => ({ customer }),
    })
  })
})
