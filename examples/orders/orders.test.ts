import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createUpcasterChain, decide, defineAggregate, DomainError, type DomainEvent, fold } from '#domain'
import { given, upcastingCommutes } from '#domain/testing'

import type {
  ItemAdded,
  OrderEvent,
  OrderPlacedV1,
  OrderShipped,
} from '../../schemas/order/events.generated.ts'
import domain from './domain.ts'
import {
  type AddItem,
  order,
  type OrderCommand,
  type OrderState,
  type PlaceOrder,
  type ShipOrder,
} from './order.ts'

type AddedEvent = DomainEvent<'ItemAdded', ItemAdded>
type ShippedEvent = DomainEvent<'OrderShipped', OrderShipped>

const placement = { customerId: 'c-1', placedAt: '2026-01-05T10:00:00.000Z', currency: 'EUR' } as const
const item = { sku: 'book', quantity: 2, price: '19.95' }
const shipment = { shippedAt: '2026-01-06T08:00:00.000Z', carrier: null }

const placed: OrderEvent = { type: 'OrderPlaced', data: placement }
const added: AddedEvent = { type: 'ItemAdded', data: item }
const shipped: ShippedEvent = { type: 'OrderShipped', data: shipment }
const place: PlaceOrder = { type: 'PlaceOrder', data: placement }
const add: AddItem = { type: 'AddItem', data: item }
const ship: ShipOrder = { type: 'ShipOrder', data: shipment }

describe('an order', () => {
  test('is placed', () => {
    given(order, [])
      .when(place)
      .then([placed])
      .thenState({ status: 'placed', customerId: 'c-1', currency: 'EUR', quantity: 0, total: '0.00' })
  })

  test('accepts items and adds up their prices', () => {
    given(order, [placed, added])
      .when({ type: 'AddItem', data: { sku: 'pen', quantity: 3, price: '0.10' } })
      .thenState({ status: 'placed', customerId: 'c-1', currency: 'EUR', quantity: 5, total: '40.20' })
  })

  test('is shipped when it has an item', () => {
    given(order, [placed, added]).when(ship).then([shipped])
  })

  test('is not placed twice', () => given(order, [placed]).when(place).thenRefused('order-already-placed'))
  test('accepts no item before it is placed', () =>
    given(order, []).when(add).thenRefused('order-not-placed'))
  test('is not shipped before it is placed', () =>
    given(order, []).when(ship).thenRefused('order-not-placed'))
  test('is not shipped empty', () => given(order, [placed]).when(ship).thenRefused('order-empty'))
  test('accepts no item after it was shipped', () =>
    given(order, [placed, added, shipped]).when(add).thenRefused('order-already-shipped'))
  test('is not shipped twice', () =>
    given(order, [placed, added, shipped]).when(ship).thenRefused('order-already-shipped'))
  test('is not placed again after it was shipped', () =>
    given(order, [placed, added, shipped]).when(place).thenRefused('order-already-placed'))

  test.each([0, -1, 0.5])('accepts no item with quantity %s', (quantity) => {
    given(order, [placed])
      .when({ type: 'AddItem', data: { ...item, quantity } })
      .thenRefused('invalid-quantity')
  })
})

describe('for any commands in any order', () => {
  const command: fc.Arbitrary<OrderCommand> = fc.oneof(
    fc.constant(place),
    fc.constant(ship),
    fc
      .record({ quantity: fc.integer({ min: -1, max: 5 }), cents: fc.nat(9_999) })
      .map(({ quantity, cents }): AddItem => ({
        type: 'AddItem',
        data: { sku: 'any', quantity, price: (cents / 100).toFixed(2) },
      })),
  )

  /** Rejected commands produce no events, as in a service. */
  function run(commands: readonly OrderCommand[]): readonly OrderEvent[] {
    const events: OrderEvent[] = []
    for (const next of commands) {
      try {
        events.push(...decide(order, fold(order, events), next))
      } catch (error) {
        if (!(error instanceof DomainError)) throw error
      }
    }
    return events
  }

  test('an order is placed first, then filled, then shipped, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        const types = run(commands).map(({ type }) => type)
        expect(types.join(' ')).toMatch(/^(OrderPlaced( ItemAdded)*((?<= ItemAdded) OrderShipped)?)?$/)
      }),
    )
  })

  test('the total equals the sum of the items, to the cent', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        const events = run([place, ...commands])
        const cents = events
          .filter((event) => event.type === 'ItemAdded')
          .reduce((sum, { data }) => sum + data.quantity * Math.round(Number(data.price) * 100), 0)
        expect(fold(order, events).total).toBe((cents / 100).toFixed(2))
      }),
    )
  })
})

describe('orders from before there were currencies', () => {
  type LegacyEvent = DomainEvent<'OrderPlaced', OrderPlacedV1> | AddedEvent | ShippedEvent

  const legacyOrder = defineAggregate<OrderState, LegacyEvent>({
    type: 'order',
    initialState: order.initialState,
    evolve: {
      OrderPlaced: (state, { data }) => ({
        ...state,
        status: 'placed',
        customerId: data.customer,
        currency: 'EUR',
      }),
      ItemAdded: (state, event) => order.evolve(state, event),
      OrderShipped: (state, event) => order.evolve(state, event),
    },
  })

  test('are upcast to orders in euros', () => {
    const data = createUpcasterChain(domain.upcasters).upcast('order', 'OrderPlaced', 1, 2, {
      customer: 'c-1',
      placedAt: placement.placedAt,
    })
    expect(data).toEqual(placement)
  })

  test('have the same state, upcast or not', () => {
    const legacyPlaced = fc
      .string()
      .map((name): LegacyEvent => ({ type: 'OrderPlaced', data: { customer: name, placedAt: '' } }))
    const legacyEvents = fc.array(fc.oneof(legacyPlaced, fc.constant(added), fc.constant(shipped)))
    fc.assert(
      fc.property(legacyEvents, (events) => {
        upcastingCommutes({
          legacy: legacyOrder,
          current: order,
          chain: createUpcasterChain(domain.upcasters),
          versions: { OrderPlaced: { from: 1, to: 2 } },
          events,
        })
      }),
    )
  })
})
