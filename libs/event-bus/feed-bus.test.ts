import fc from 'fast-check'
import { expect, test, vi } from 'vitest'

import type { DomainEvent, RecordedEvent } from '#domain'
import { recordEvents } from '#domain/testing'

import { ack, type CursoredEvent, EventBus, feedBus, stop } from './index.ts'

/** Orders placed and paid, alternating. */
const log = (length: number): readonly CursoredEvent[] =>
  recordEvents(
    'order.1',
    Array.from({ length }, (_, n): DomainEvent => ({ type: n % 2 === 0 ? 'Placed' : 'Paid', data: null })),
  ).map((event) => ({ event, cursor: `after ${event.version}` }))

/** The given events, then silence until the signal aborts, like a live subscription. */
async function* live(events: readonly CursoredEvent[], signal: AbortSignal): AsyncGenerator<CursoredEvent> {
  yield* events
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
}

const openBus = (closeTimeoutMs = 1_000): EventBus =>
  new EventBus({ onFailure: () => undefined, closeTimeoutMs })

/** A handler whose events are done when the test says so. */
function byHand() {
  const open = new Map<number, () => void>()
  const handler = ({ version }: RecordedEvent): Promise<undefined> =>
    new Promise((resolve) => open.set(version, () => resolve(undefined)))
  const finish = async (version: number): Promise<void> => {
    await expect.poll(() => open.has(version)).toBe(true)
    open.get(version)?.()
  }
  return { handler, finish }
}

test('the cursor moves once all subscribers have handled an event', async () => {
  const bus = openBus()
  const cursors: string[] = []
  const [first, second] = [byHand(), byHand()]
  bus.subscribe({}, first.handler)
  bus.subscribe({}, second.handler)
  const end = new AbortController()
  const feeding = feedBus(bus, live(log(3), end.signal), { onHandled: (cursor) => void cursors.push(cursor) })
  await first.finish(1)
  await first.finish(2)
  await second.finish(1)
  await expect.poll(() => cursors).toEqual(['after 1'])
  await second.finish(2)
  await expect.poll(() => cursors).toEqual(['after 1', 'after 2'])
  end.abort()
  await second.finish(3)
  await first.finish(3)
  await feeding
  expect(cursors).toEqual(['after 1', 'after 2', 'after 3'])
})

test('an event that is handled ahead of an earlier one does not move the cursor', async () => {
  const bus = openBus()
  const saved: string[] = []
  const first = byHand()
  const paid = vi.fn(() => ack)
  bus.subscribe({ eventTypes: ['Placed'] }, first.handler)
  bus.subscribe({ eventTypes: ['Paid'] }, paid)
  const feeding = feedBus(bus, live(log(2), AbortSignal.abort()), { onHandled: (cursor) => void saved.push(cursor) }) // prettier-ignore
  await expect.poll(() => bus.subscribers).toMatchObject([{}, { handled: 1 }])
  await new Promise(setImmediate)
  expect(saved).toEqual([])
  await first.finish(1)
  await feeding
  expect(saved.at(-1)).toBe('after 2')
})

test('cursors are saved one at a time, and one that is already obsolete is left out', async () => {
  const bus = openBus()
  const saved: string[] = []
  const firstSave = Promise.withResolvers<undefined>()
  const onHandled = async (cursor: string): Promise<void> => {
    saved.push(cursor)
    if (saved.length === 1) await firstSave.promise
  }
  const handler = vi.fn(() => ack)
  bus.subscribe({}, handler)
  const feeding = feedBus(bus, live(log(50), AbortSignal.abort()), { onHandled })
  await expect.poll(() => handler.mock.calls.length).toBe(50)
  expect(saved).toEqual(['after 1'])
  firstSave.resolve(undefined)
  await feeding
  expect(saved).toEqual(['after 1', 'after 50'])
})

test('a subscriber that stops ends the feed at once, with the cursors before it saved', async () => {
  const bus = openBus()
  const saved: string[] = []
  bus.subscribe({}, ({ version }) => (version === 3 ? stop('enough') : ack), { name: 'mail' })
  const feeding = feedBus(bus, live(log(5), new AbortController().signal), {
    onHandled: async (cursor) => {
      await new Promise(setImmediate)
      saved.push(cursor)
    },
  })
  await expect(feeding).rejects.toMatchObject({
    code: 'missed',
    message:
      'Placed at offset 2 of eventstore.order/0 was not handled by mail; feed it again from the last saved cursor',
  })
  expect(saved.at(-1)).toBe('after 2')
  await expect(
    feedBus(bus, live(log(5), AbortSignal.abort()), { onHandled: () => undefined }),
  ).rejects.toMatchObject({ code: 'missed' })
})

test('a feed ends when the bus is closed, and when its cursor cannot be saved', async () => {
  const bus = openBus(1)
  const handler = vi.fn(() => new Promise<undefined>(() => undefined))
  bus.subscribe({}, handler)
  const silent = new AbortController().signal
  const feeding = feedBus(bus, live(log(1), silent), { onHandled: () => undefined })
  await expect.poll(() => handler.mock.calls.length).toBeGreaterThan(0)
  const closing = bus.close()
  await expect(feeding).rejects.toMatchObject({ code: 'missed' })
  await closing

  const full = feedBus(openBus(), live(log(1), silent), {
    onHandled: () => Promise.reject(new Error('the disk is full')),
  })
  await expect(full).rejects.toThrow('the disk is full')
})

test('an error of the events is rethrown after earlier progress is saved', async () => {
  const saved: string[] = []
  async function* broken(): AsyncGenerator<CursoredEvent> {
    yield* log(2)
    await Promise.resolve()
    throw new Error('the connection broke')
  }
  const feeding = feedBus(openBus(), broken(), {
    onHandled: async (cursor) => {
      await new Promise(setImmediate)
      saved.push(cursor)
    },
  })
  await expect(feeding).rejects.toThrow('the connection broke')
  expect(saved.at(-1)).toBe('after 2')
})

test('after any number of crashes every subscriber has handled every event up to the saved cursor, and eventually all', async () => {
  const events = log(40)
  /** The event at which a subscriber dies in each run, and how many event loop turns it needs for one. */
  const runs = fc.array(
    fc.array(fc.record({ diesAt: fc.integer({ min: 1, max: 60 }), turns: fc.nat(3) }), {
      minLength: 2,
      maxLength: 2,
    }),
    { maxLength: 6 },
  )
  await fc.assert(
    fc.asyncProperty(runs, async (lives) => {
      const handled = [new Set<number>(), new Set<number>()]
      let done = 0
      const allLives = [...lives, handled.map(() => ({ diesAt: Infinity, turns: 0 }))]
      for (const life of allLives) {
        const bus = openBus()
        for (const [index, { diesAt, turns }] of life.entries()) {
          const handler = async ({ version }: RecordedEvent) => {
            for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
            if (version >= diesAt) return stop('killed')
            handled[index]?.add(version)
            return ack
          }
          bus.subscribe({ eventTypes: [index === 0 ? 'Placed' : 'Paid'] }, handler, { queueMax: 3 })
        }
        const onHandled = (cursor: string): void => {
          done = Number(cursor.slice('after '.length))
          for (const { event } of events.slice(0, done)) {
            expect(handled[event.type === 'Paid' ? 1 : 0]?.has(event.version)).toBe(true)
          }
        }
        const feeding = feedBus(bus, live(events.slice(done), AbortSignal.abort()), { onHandled })
        await feeding.catch((error: unknown) => expect(error).toMatchObject({ code: 'missed' }))
        await bus.close()
      }
      expect(done).toBe(events.length)
    }),
  )
})
