import Big from 'big.js'

import { defineAggregate, type DomainCommand, refuse } from '#domain'

import type {
  ItemAdded,
  OrderEvent,
  OrderPlaced,
  OrderShipped,
} from '../../schemas/order/events.generated.ts'

export type PlaceOrder = DomainCommand<'PlaceOrder', OrderPlaced>
export type AddItem = DomainCommand<'AddItem', ItemAdded>
export type ShipOrder = DomainCommand<'ShipOrder', OrderShipped>
export type OrderCommand = PlaceOrder | AddItem | ShipOrder

export interface OrderState {
  readonly status: 'none' | 'placed' | 'shipped'
  readonly customerId: string | null
  readonly currency: string | null
  /** Total number of items. */
  readonly quantity: number
  /** A decimal with two places, in the order's currency. */
  readonly total: string
}

/** An order: placed once, filled with items, shipped once. */
export const order = defineAggregate<OrderState, OrderEvent, OrderCommand>({
  type: 'order',
  initialState: { status: 'none', customerId: null, currency: null, quantity: 0, total: '0.00' },
  evolve: {
    OrderPlaced: (state, { data: { customerId, currency } }) => ({
      ...state,
      status: 'placed',
      customerId,
      currency,
    }),
    ItemAdded: (state, { data: { quantity, price } }) => ({
      ...state,
      quantity: state.quantity + quantity,
      total: new Big(price).times(quantity).plus(state.total).toFixed(2),
    }),
    OrderShipped: (state) => ({ ...state, status: 'shipped' }),
  },
  decide: {
    PlaceOrder: ({ data }, state) => {
      if (state.status !== 'none') refuse('order-already-placed', 'the order is already placed')
      return { type: 'OrderPlaced', data }
    },
    AddItem: ({ data }, state) => {
      checkOpen(state)
      if (!Number.isSafeInteger(data.quantity) || data.quantity < 1) {
        refuse('invalid-quantity', `${data.quantity} of ${data.sku}: expected a whole number from 1`)
      }
      return { type: 'ItemAdded', data }
    },
    ShipOrder: ({ data }, state) => {
      checkOpen(state)
      if (state.quantity === 0) refuse('order-empty', 'an order without items cannot be shipped')
      return { type: 'OrderShipped', data }
    },
  },
  invariants: {
    'a shipped order has items': ({ status, quantity }) => status !== 'shipped' || quantity > 0,
  },
})

/** Items can be added, and the order can be shipped, only between placing and shipping. */
function checkOpen({ status }: OrderState): void {
  if (status === 'none') refuse('order-not-placed', 'the order does not exist: place it first')
  if (status === 'shipped') refuse('order-already-shipped', 'the order is shipped and can no longer change')
}
