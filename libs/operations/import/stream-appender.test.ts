import { describe, expect, test } from 'vitest'

import { type AppendOptions, type EventId, newEventId, type StreamId, streamIdOf } from '#domain'
import { EventStoreError, InMemoryEventStore } from '#event-store'

import type { EventLine } from './imported-line.ts'
import { StreamAppender } from './stream-appender.ts'

const streamId = streamIdOf('order', '42')
const line = (number: number): EventLine => ({
  line: number,
  streamId,
  event: { id: newEventId(), type: 'OrderPlaced', data: { number } },
})
const numbers = async (store: InMemoryEventStore): Promise<unknown[]> =>
  (await store.read(streamId, { limit: 1000 })).events.map(({ data }) => (data as { number: number }).number)

class CountingStore extends InMemoryEventStore {
  appends = 0
  reads = 0

  override append(...args: Parameters<InMemoryEventStore['append']>) {
    this.appends += 1
    return super.append(...args)
  }

  override read(...args: Parameters<InMemoryEventStore['read']>) {
    this.reads += 1
    return super.read(...args)
  }
}

/** A writer that remembers no event ids: every event is new to it. */
class ForgetfulStore {
  readonly #store = new InMemoryEventStore()
  readonly #given = new Map<EventId, EventId>()

  append(id: StreamId, events: readonly EventLine['event'][], options?: AppendOptions) {
    const strangers = events.map((event) => ({ ...event, id: newEventId() }))
    strangers.forEach((stranger, index) => this.#given.set(stranger.id, events[index]?.id ?? stranger.id))
    return this.#store.append(id, strangers, options)
  }

  async read(...args: Parameters<InMemoryEventStore['read']>) {
    const page = await this.#store.read(...args)
    return {
      ...page,
      events: page.events.map((event) => ({ ...event, id: this.#given.get(event.id) ?? event.id })),
    }
  }
}

describe('lines of a stream', () => {
  test.each([
    ['all', () => new InMemoryEventStore()],
    ['no', () => new ForgetfulStore() as unknown as InMemoryEventStore],
  ])(
    'are appended once after a complete or partial earlier run, by a writer that remembers %s ids',
    async (_, open) => {
      const lines = [1, 2, 3, 4, 5].map(line)
      for (const before of [0, 1, 3, 5]) {
        const store = open()
        await new StreamAppender(store, undefined).append(streamId, lines.slice(0, before))
        const again = new StreamAppender(store, undefined)
        const first = await again.append(streamId, lines.slice(0, 2))
        const second = await again.append(streamId, lines.slice(2))
        expect(first.appended + second.appended).toBe(5 - before)
        expect(first.alreadyThere + second.alreadyThere).toBe(before)
        expect(await numbers(store)).toEqual([1, 2, 3, 4, 5])
      }
    },
  )

  test('of a new stream need one append per call, and no read', async () => {
    const store = new CountingStore()
    const appender = new StreamAppender(store, undefined)
    for (const number of [1, 2, 3]) await appender.append(streamId, [line(number)])
    expect([store.appends, store.reads]).toEqual([3, 0])
  })

  test('that an earlier run appended need no read of their stream', async () => {
    const store = new CountingStore()
    const [first, second, third] = [1, 2, 3].map(line)
    if (first === undefined || second === undefined || third === undefined) throw new Error('three lines')
    await new StreamAppender(store, undefined).append(streamId, [first, second])
    store.appends = 0
    const behindCheckpoint = new StreamAppender(store, undefined)
    for (const each of [first, second]) behindCheckpoint.recall(each)
    expect(await behindCheckpoint.append(streamId, [third])).toEqual({ appended: 1, alreadyThere: 0 })
    const again = new StreamAppender(store, undefined)
    expect(await again.append(streamId, [first, second, third])).toEqual({ appended: 0, alreadyThere: 3 })
    expect(await again.append(streamId, [line(4)])).toEqual({ appended: 1, alreadyThere: 0 })
    expect([store.appends, store.reads]).toEqual([3, 0])
    expect(await numbers(store)).toEqual([1, 2, 3, 4])
  })

  test('are found anywhere in a stream that was only recalled', async () => {
    const lines = [1, 2, 3, 4].map(line)
    for (const before of [
      [0, 2, 1],
      [2, 0, 1],
      [0, 1, 2],
    ]) {
      const store = new ForgetfulStore() as unknown as InMemoryEventStore
      const brought = before.flatMap((index) => lines.slice(index, index + 1))
      for (const each of brought) await new StreamAppender(store, undefined).append(streamId, [each])
      const resumed = new StreamAppender(store, undefined)
      for (const each of lines.slice(0, 2)) resumed.recall(each)
      expect(await resumed.append(streamId, lines.slice(2))).toEqual({ appended: 1, alreadyThere: 1 })
      expect(await numbers(store)).toEqual([...before.map((index) => index + 1), 4])
    }
  })

  test('are looked up in the stream when another client appends meanwhile', async () => {
    const store = new InMemoryEventStore()
    const appender = new StreamAppender(store, undefined)
    await appender.append(streamId, [line(1)])
    await store.append(streamId, [{ type: 'OrderPlaced', data: { number: 7 } }])
    expect(await appender.append(streamId, [line(2)])).toEqual({ appended: 1, alreadyThere: 0 })
    expect(await numbers(store)).toEqual([1, 7, 2])
  })

  test('are given up when others keep appending', async () => {
    const store = new InMemoryEventStore()
    const conflict = () => Promise.reject(new EventStoreError('wrong-expected-version', 'taken'))
    const rival = { append: conflict, read: store.read.bind(store) }
    await expect(new StreamAppender(rival, undefined).append(streamId, [line(1)])).rejects.toThrow('taken')
  })
})

describe('a rejected line', () => {
  /** Rejects the event of one line, and appends with too many events, as a writer does. */
  const picky = (store: InMemoryEventStore, wrong: number, eventsMax = 100) => ({
    read: store.read.bind(store),
    append: (id: StreamId, events: Parameters<InMemoryEventStore['append']>[1], options = {}) => {
      const at = events.findIndex(({ data }) => (data as { number: number }).number === wrong)
      if (events.length > eventsMax)
        throw new EventStoreError('append-too-large', 'too many', { path: 'events' })
      if (at >= 0) throw new EventStoreError('invalid-event', 'misfit', { path: `events[${at}].data.number` })
      return store.append(id, events, options)
    },
  })

  test('is reported with line and field after all lines before it are appended', async () => {
    const store = new InMemoryEventStore()
    const answer = await new StreamAppender(picky(store, 3), undefined).append(
      streamId,
      [1, 2, 3, 4].map(line),
    )
    expect(answer).toMatchObject({
      appended: 2,
      alreadyThere: 0,
      problem: { line: 3, path: 'data.number', streamId },
    })
    expect(await numbers(store)).toEqual([1, 2])
  })

  test('is found among more lines than one append accepts', async () => {
    const store = new InMemoryEventStore()
    const answer = await new StreamAppender(picky(store, 6, 2), undefined).append(
      streamId,
      [1, 2, 3, 4, 5, 6, 7].map(line),
    )
    expect(answer).toMatchObject({ appended: 5, problem: { line: 6 } })
    expect(await numbers(store)).toEqual([1, 2, 3, 4, 5])
  })

  test('is not reported if the writer cannot serve', async () => {
    const away = {
      append: () => Promise.reject(new EventStoreError('unavailable', 'away')),
      read: () => Promise.reject(new EventStoreError('unavailable', 'away')),
    }
    await expect(new StreamAppender(away, undefined).append(streamId, [line(1)])).rejects.toThrow('away')
  })
})
