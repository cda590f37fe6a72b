import { describe, expect, test } from 'vitest'

import { type RecordedEvent } from '#domain'

import { ack } from './index.ts'
import { heldUp, joined, openBus, paid, placed, sent } from './testing/bus-fixture.ts'

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

  test('bounds the waiting publishes: the next one is rejected, and no subscriber receives its events', async () => {
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
