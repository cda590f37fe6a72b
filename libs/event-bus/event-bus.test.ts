import { describe, expect, expectTypeOf, test } from 'vitest'

import { type DomainEvent, type RecordedEvent } from '#domain'
import { recordEvents } from '#domain/testing'

import {
  ack,
  EventBus,
  type EventBusOptions,
  type EventFilter,
  type Report,
  skip,
  stop,
  type SubscribeOptions,
} from './index.ts'

const happened = (streamId: string, ...types: string[]): readonly RecordedEvent[] =>
  recordEvents(
    streamId,
    types.map((type): DomainEvent => ({ type, data: null })),
  )

const [placed, paid, sent] = happened('order.1', 'Placed', 'Paid', 'Sent') as [
  RecordedEvent,
  RecordedEvent,
  RecordedEvent,
]
const [joined] = happened('customer.1', 'Joined') as [RecordedEvent]

/** Retries follow each other without delay. */
const atOnce = { sleep: () => Promise.resolve() }

type Failure = Parameters<Report>

function openBus(options: Partial<EventBusOptions> = {}) {
  const failures: Failure[] = []
  const bus = new EventBus({ onFailure: (...failure) => failures.push(failure), ...options })
  const codes = (): string[] => failures.map(([{ code }, , { name }]) => `${name}: ${code}`)
  return { bus, failures, codes }
}

/** A handler that blocks until it is released. */
function heldUp() {
  const seen: RecordedEvent[] = []
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const handler = (event: RecordedEvent): Promise<undefined> => {
    seen.push(event)
    return promise
  }
  return { seen, handler, goOn: () => resolve(undefined) }
}

describe('a subscriber', () => {
  test.each<[EventFilter, readonly RecordedEvent[]]>([
    [{}, [placed, joined, paid, sent]],
    [{ eventTypes: ['Paid', 'Joined'] }, [joined, paid]],
    [{ categories: ['order'] }, [placed, paid, sent]],
    [{ categories: ['customer', 'order'], eventTypes: ['Sent'] }, [sent]],
    [{ categories: ['customer'], eventTypes: ['Sent'] }, []],
  ])('with %j gets the matching events, in order', async (filter, expected) => {
    const { bus, failures } = openBus()
    const seen: RecordedEvent[] = []
    bus.subscribe(filter, (event) => void seen.push(event))
    await bus.publish(placed)
    const { handled } = await bus.publishMany([joined, paid, sent])
    expect(await handled).toEqual([])
    expect(seen).toEqual(expected)
    expect(failures).toEqual([])
  })

  test('handles one event after another, whatever is published in the meantime', async () => {
    const { bus } = openBus()
    let running = 0
    let most = 0
    const { status } = bus.subscribe({}, async () => {
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
    })
    expect(status.state).toBe('running')
    await Promise.all([bus.publishMany([placed, paid]), bus.publish(sent), bus.publish(joined)])
    await bus.close()
    expect(most).toBe(1)
    expect(bus.subscribers).toMatchObject([{ handled: 4, waiting: 0 }])
  })

  test('gets nothing after it has unsubscribed, and counts as missed by nobody', async () => {
    const { bus, failures } = openBus()
    const slow = heldUp()
    const subscription = bus.subscribe({}, slow.handler)
    const { handled } = await bus.publishMany([placed, paid])
    await expect.poll(() => slow.seen).toEqual([placed])
    subscription.unsubscribe()
    slow.goOn()
    expect(await handled).toEqual([])
    await (
      await bus.publish(sent)
    ).handled
    await bus.close()
    expect(slow.seen).toEqual([placed])
    expect(subscription.status).toMatchObject({ state: 'unsubscribed', dropped: 0 })
    expect([bus.subscribers, failures]).toEqual([[], []])
  })

  test('that unsubscribes while a publisher waits for it releases the publisher', async () => {
    const { bus } = openBus()
    const slow = heldUp()
    const subscription = bus.subscribe({}, slow.handler, { queueMax: 1 })
    const publishing = bus.publishMany([placed, paid, sent])
    await expect.poll(() => subscription.status.waiting).toBe(1)
    subscription.unsubscribe()
    expect(await (await publishing).handled).toEqual([])
  })

  test('may publish from its handler', async () => {
    const { bus } = openBus()
    const seen: RecordedEvent[] = []
    bus.subscribe({ eventTypes: ['Placed'] }, async () => {
      await bus.publish(paid)
    })
    bus.subscribe({ eventTypes: ['Paid'] }, (event) => void seen.push(event))
    await (
      await bus.publish(placed)
    ).handled
    await bus.close()
    expect(seen).toEqual([paid])
  })

  test('needs a valid filter: empty lists, malformed categories and limits are rejected', () => {
    const { bus } = openBus()
    const subscribe =
      (filter: EventFilter, options: SubscribeOptions = {}) =>
      () =>
        bus.subscribe(filter, () => ack, options)
    expect(subscribe({ eventTypes: [] })).toThrow('eventTypes is empty, so no event would match')
    expect(subscribe({ categories: [] })).toThrow('categories is empty')
    expect(subscribe({ categories: ['Order'] })).toThrow('aggregate type "Order" is malformed')
    expect(subscribe({}, { queueMax: 0 })).toThrow('queueMax is 0: expected a whole number from 1')
    expect(subscribe({}, { roomTimeoutMs: Infinity })).toThrow('roomTimeoutMs is Infinity: expected')
  })

  test('has its events typed by its handler', () => {
    const { bus } = openBus()
    type Placed = DomainEvent<'Placed', { readonly total: string }>
    bus.subscribe<Placed>({ eventTypes: ['Placed'] }, (event) => {
      expectTypeOf(event).toEqualTypeOf<RecordedEvent<Placed>>()
    })
    // @ts-expect-error There is no event called Plaecd.
    bus.subscribe<Placed>({ eventTypes: ['Plaecd'] }, () => ack)
    // @ts-expect-error There is no such outcome.
    bus.subscribe({}, () => ({ kind: 'retry' }))
  })
})

describe('a handler that throws', () => {
  test('is called again, and nothing is reported when it succeeds', async () => {
    const { bus, failures } = openBus()
    const delaysMs: number[] = []
    const sleep = (delayMs: number) => Promise.resolve(void delaysMs.push(delayMs))
    let tries = 0
    bus.subscribe(
      {},
      () => {
        if (++tries < 4) throw new Error('not yet')
      },
      { retry: { sleep, random: () => 1, delayMsMin: 5 } },
    )
    expect(await (await bus.publish(placed)).handled).toEqual([])
    expect(delaysMs).toEqual([5, 10, 20])
    expect(failures).toEqual([])
  })

  test('on every try has its event skipped and reported; the next ones follow', async () => {
    const { bus, failures } = openBus()
    const fault = new Error('the mail server is down')
    const seen: RecordedEvent[] = []
    const handler = (event: RecordedEvent): Promise<undefined> => {
      seen.push(event)
      return event === placed ? Promise.reject(fault) : Promise.resolve(undefined)
    }
    bus.subscribe({}, handler, { name: 'mail', retry: { ...atOnce, triesMax: 3 } })
    expect(await (await bus.publishMany([placed, paid])).handled).toEqual([])
    expect(seen).toEqual([placed, placed, placed, paid])
    expect(failures).toHaveLength(1)
    const [[error, event, subscriber]] = failures as [Failure]
    expect(error).toMatchObject({ code: 'skipped', cause: fault })
    expect(error.message).toBe(
      'subscriber mail skipped Placed (order.1, 1): its handler failed in all 3 tries: the mail server is down',
    )
    expect(event).toBe(placed)
    expect(subscriber).toMatchObject({ name: 'mail', state: 'running', skipped: 1 })
  })

  test('stops its subscriber if configured; all later events count as dropped', async () => {
    const { bus, codes } = openBus()
    const stopping = bus.subscribe({}, () => Promise.reject<undefined>(new Error('no')), {
      name: 'ledger',
      onError: 'stop',
      retry: { ...atOnce, triesMax: 2 },
    })
    bus.subscribe({}, () => ack, { name: 'other' })
    expect(await (await bus.publishMany([placed, paid])).handled).toEqual(['ledger'])
    expect(await (await bus.publish(sent)).handled).toEqual(['ledger'])
    expect(stopping.status).toMatchObject({ state: 'stopped', handled: 0, dropped: 3 })
    expect(bus.subscribers).toMatchObject([{ name: 'ledger' }, { name: 'other', handled: 3, dropped: 0 }])
    expect(codes()).toEqual(['ledger: stopped'])
    stopping.unsubscribe()
    expect(await (await bus.publish(sent)).handled).toEqual([])
  })

  test('and whose subscriber ends during the backoff is not called again', async () => {
    const { bus } = openBus()
    const backoff = Promise.withResolvers<undefined>()
    let tries = 0
    const subscription = bus.subscribe(
      {},
      () => {
        tries++
        throw new Error('no')
      },
      { retry: { sleep: () => backoff.promise } },
    )
    await bus.publish(placed)
    await expect.poll(() => tries).toBe(1)
    subscription.unsubscribe()
    backoff.resolve(undefined)
    await new Promise(setImmediate)
    expect(tries).toBe(1)
  })
})

describe('a handler’s outcome', () => {
  test('skips an event, with a reason', async () => {
    const { bus, failures } = openBus()
    const { status } = bus.subscribe({}, () => skip('too old'), { name: 'mail' })
    expect(await (await bus.publish(placed)).handled).toEqual([])
    expect(failures).toMatchObject([
      [{ code: 'skipped', message: 'subscriber mail skipped Placed (order.1, 1): too old' }, placed, {}],
    ])
    expect(status.skipped).toBe(0) // A status is a copy from the time of the call.
    expect(bus.subscribers).toMatchObject([{ skipped: 1, handled: 0 }])
  })

  test('stops the subscriber, with a reason', async () => {
    const { bus, failures } = openBus()
    const seen: RecordedEvent[] = []
    bus.subscribe({}, (event) => {
      seen.push(event)
      return event === paid ? stop('the shop is closed') : ack
    })
    expect(await (await bus.publishMany([placed, paid, sent])).handled).toEqual(['subscriber-1'])
    expect(seen).toEqual([placed, paid])
    expect(failures).toMatchObject([
      [{ code: 'stopped' }, paid, { state: 'stopped', handled: 1, dropped: 2 }],
    ])
    expect(failures[0]?.[0].message).toBe(
      'subscriber subscriber-1 takes no more events: the shop is closed; not handled: Paid (order.1, 2) and all later ones',
    )
  })
})

describe('a full queue', () => {
  test('makes publishers wait, and delays no handler', async () => {
    const { bus, failures } = openBus()
    const slow = heldUp()
    const quick: RecordedEvent[] = []
    const subscription = bus.subscribe({}, slow.handler, { queueMax: 1 })
    bus.subscribe({}, (event) => void quick.push(event))
    let published = false
    const publishing = bus.publishMany([placed, paid, sent]).then(() => (published = true))
    await expect.poll(() => quick).toEqual([placed, paid, sent])
    expect(subscription.status).toMatchObject({ waiting: 1, handled: 0 })
    expect(published).toBe(false)
    slow.goOn()
    await publishing
    await bus.close()
    expect(slow.seen).toEqual([placed, paid, sent])
    expect(failures).toEqual([])
  })

  test('cuts its subscriber off when no room appears in time, and releases the publishers', async () => {
    const { bus, failures } = openBus()
    const slow = heldUp()
    const quick: RecordedEvent[] = []
    bus.subscribe({}, slow.handler, { name: 'slow', queueMax: 1, roomTimeoutMs: 20 })
    bus.subscribe({}, (event) => void quick.push(event), { name: 'quick' })
    const { handled } = await bus.publishMany([placed, paid, sent, joined])
    expect(await handled).toEqual(['slow'])
    expect(quick).toEqual([placed, paid, sent, joined])
    expect(failures).toMatchObject([
      [{ code: 'cut-off' }, placed, { name: 'slow', state: 'cut-off', dropped: 2 }],
    ])
    expect(failures[0]?.[0].message).toContain('its queue of 1 events had no room for 20 ms')
    expect(bus.subscribers).toMatchObject([
      { name: 'slow', state: 'cut-off', dropped: 4 },
      { name: 'quick', state: 'running', handled: 4 },
    ])
    slow.goOn()
    await bus.close()
    expect(slow.seen).toEqual([placed])
  })

  test('cuts off at once a subscriber with a time-out of zero', async () => {
    const { bus, codes } = openBus()
    const slow = heldUp()
    bus.subscribe({}, slow.handler, { name: 'slow', queueMax: 2, roomTimeoutMs: 0 })
    await bus.publishMany([placed, paid, sent])
    expect(bus.subscribers).toMatchObject([{ state: 'cut-off', dropped: 3 }])
    await expect.poll(() => codes()).toEqual(['slow: cut-off'])
  })

  test('bounds the publishes that wait: the next one is rejected, and nobody gets its events', async () => {
    const { bus } = openBus({ publishesMax: 2 })
    const slow = heldUp()
    bus.subscribe({}, slow.handler, { queueMax: 1 })
    const waiting = [bus.publishMany([placed, paid, sent]), bus.publish(joined)]
    await expect(bus.publish(paid)).rejects.toMatchObject({ code: 'busy' })
    slow.goOn()
    await Promise.all(waiting)
    await bus.publish(placed)
    await bus.close()
    expect(slow.seen).toEqual([placed, paid, sent, joined, placed])
  })
})

describe('closing', () => {
  test('lets all published events be handled, and takes no more', async () => {
    const { bus, failures } = openBus()
    const seen: RecordedEvent[] = []
    const handler = async (event: RecordedEvent): Promise<void> => {
      await new Promise(setImmediate)
      seen.push(event)
    }
    bus.subscribe({}, handler, { queueMax: 1 })
    const publishing = [bus.publishMany([placed, paid]), bus.publish(sent)]
    const closing = bus.close()
    expect(bus.close()).toBe(closing)
    await closing
    expect(seen).toEqual([placed, paid, sent])
    await Promise.all(publishing)
    await expect(bus.publish(joined)).rejects.toMatchObject({ code: 'closed' })
    expect(() => bus.subscribe({}, () => ack)).toThrow('the event bus is closed')
    expect(failures).toEqual([])
  })

  test('ends in time even when a handler hangs; unhandled events are counted and reported', async () => {
    const { bus, failures } = openBus({ closeTimeoutMs: 20 })
    const never = heldUp()
    bus.subscribe({}, never.handler, { name: 'never', queueMax: 1 })
    bus.subscribe({ eventTypes: ['Joined'] }, () => ack, { name: 'fine' })
    const publishing = bus.publishMany([placed, paid, sent, joined])
    await bus.close()
    expect(await (await publishing).handled).toEqual(['never', 'fine'])
    expect(bus.subscribers).toMatchObject([
      { name: 'never', state: 'not-drained', dropped: 4 },
      { name: 'fine', handled: 0 },
    ])
    expect(failures).toMatchObject([
      [{ code: 'not-drained' }, placed, { name: 'never' }],
      [{ code: 'not-drained' }, joined, { name: 'fine', dropped: 1 }],
    ])
  })
})
