import { describe, expect, expectTypeOf, test } from 'vitest'

import { type DomainEvent, type RecordedEvent } from '#domain'

import { ack, type EventFilter, skip, stop, type SubscribeOptions } from './index.ts'
import { type Failure, heldUp, joined, openBus, paid, placed, sent } from './testing/bus-fixture.ts'

/** Retries follow each other without delay. */
const atOnce = { sleep: () => Promise.resolve() }

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

  test('receives no event after it has unsubscribed, and none counts as missed', async () => {
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
