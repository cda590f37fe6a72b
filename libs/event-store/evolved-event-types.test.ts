import { describe, expect, test } from 'vitest'

import { defineAggregate, type DomainEvent } from '#domain'

import { EventStoreError } from './errors.ts'
import { eventTypeCheck } from './evolved-event-types.ts'

const evolve = { Opened: (state: object) => state, Closed: (state: object) => state }
const door = defineAggregate<object, DomainEvent<'Opened'> | DomainEvent<'Closed'>>({
  type: 'door',
  initialState: {},
  evolve,
})
const lenient = defineAggregate<object, DomainEvent<'Opened'> | DomainEvent<'Closed'>>({
  type: 'window',
  initialState: {},
  evolve,
  onUnknownEvent: 'skip',
})
const check = eventTypeCheck([door, lenient])
const events = (...types: string[]) => types.map((type) => ({ type }))

test('events that the aggregate evolves pass', () => {
  expect(() => check('door', events('Opened', 'Closed'))).not.toThrow()
})

describe('events that the aggregate cannot evolve are rejected with their path', () => {
  test.each(['DoorState', 'Locked', 'opened', 'constructor', 'toString', '__proto__'])('%s', (type) => {
    const refused = () => check('door', events('Opened', type))
    expect(refused).toThrow(EventStoreError)
    expect(refused).toThrow(
      expect.objectContaining({ code: 'unknown-event-type', details: { path: 'events[1].type' } }),
    )
    expect(refused).toThrow(`has no evolve for event type "${type}": it has Opened, Closed.`)
  })
})

test('an aggregate that skips unknown events accepts any, and unknown aggregates are not checked', () => {
  expect(() => check('window', events('Locked'))).not.toThrow()
  expect(() => check('gate', events('Locked'))).not.toThrow()
})
