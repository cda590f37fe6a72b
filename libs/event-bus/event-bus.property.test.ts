import fc from 'fast-check'
import { expect, test } from 'vitest'

import { aggregateTypeOf, type DomainEvent, type RecordedEvent } from '#domain'
import { recordEvents } from '#domain/testing'

import { ack, EventBus, type EventFilter, type Outcome, skip, stop } from './index.ts'

const plain = ['A', 'B', 'A', 'C', 'B'].map((type): DomainEvent => ({ type, data: null }))
const log = ['order.1', 'order.2', 'customer.1'].flatMap((id) => recordEvents(id, plain))

const isMatch = ({ eventTypes, categories }: EventFilter, { type, streamId }: RecordedEvent): boolean =>
  (eventTypes === undefined || eventTypes.includes(type)) &&
  (categories === undefined || categories.includes(aggregateTypeOf(streamId)))

const kinds = ['fine', 'slow', 'stumbling', 'failing', 'skipping', 'stopping', 'hanging'] as const
type Kind = (typeof kinds)[number]

const triesMax = 3

/** Behaves as its kind says after the first `after` events. Records each event once. */
class Behaving {
  readonly seen: RecordedEvent[] = []
  readonly #kind: Kind
  readonly #after: number
  #tries = 0

  constructor(kind: Kind, after: number) {
    this.#kind = kind
    this.#after = after
  }

  handle(event: RecordedEvent): Outcome | Promise<Outcome> {
    if (this.#tries === 0) this.seen.push(event)
    if (this.seen.length <= this.#after) return ack
    switch (this.#kind) {
      case 'fine':
        return ack
      case 'slow':
        return new Promise((resolve) => setImmediate(() => resolve(ack)))
      case 'stumbling':
        this.#tries = (this.#tries + 1) % triesMax
        return this.#tries === 0 ? ack : Promise.reject(new Error('stumbled'))
      case 'failing':
        this.#tries = (this.#tries + 1) % triesMax
        throw new Error('failed')
      case 'skipping':
        return skip('for a reason')
      case 'stopping':
        return stop('for a reason')
      case 'hanging':
        return new Promise(() => undefined)
    }
  }

  /** What happens to this many events. Where a hanging subscriber is cut off depends on how events are published. */
  expectedOf(events: number): { readonly seen: number; readonly skipped: number; readonly dropped: number } {
    const troubled = Math.max(0, events - this.#after)
    const skipped = this.#kind === 'failing' || this.#kind === 'skipping' ? troubled : 0
    const dropped = this.#kind === 'stopping' ? troubled : 0
    return { seen: events - Math.max(0, dropped - 1), skipped, dropped }
  }
}

const subscribers = fc.array(
  fc.record({
    filter: fc.record(
      {
        eventTypes: fc.uniqueArray(fc.constantFrom('A', 'B', 'C'), { minLength: 1 }),
        categories: fc.uniqueArray(fc.constantFrom('order', 'customer'), { minLength: 1 }),
      },
      { requiredKeys: [] },
    ),
    kind: fc.constantFrom(...kinds),
    after: fc.nat(8),
    queueMax: fc.integer({ min: 1, max: 5 }),
  }),
  { minLength: 1, maxLength: 6 },
)
const batches = fc.array(fc.array(fc.constantFrom(...log), { maxLength: 6 }), { maxLength: 10 })

test('whatever the others do, each subscriber sees exactly the matching events in order, and all are accounted for', async () => {
  await fc.assert(
    fc.asyncProperty(subscribers, batches, fc.boolean(), async (asked, published, inTurn) => {
      const reported: string[] = []
      const bus = new EventBus({ onFailure: (_error, _event, { name }) => reported.push(name), closeTimeoutMs: 1 }) // prettier-ignore
      const parties = asked.map(({ filter, kind, after, queueMax }, index) => {
        const behaving = new Behaving(kind, after)
        const subscription = bus.subscribe(filter, (event) => behaving.handle(event), {
          name: String(index),
          queueMax,
          roomTimeoutMs: kind === 'hanging' ? 0 : 5_000,
          retry: { sleep: () => Promise.resolve(), triesMax },
        })
        const matching = published.flat().filter((event) => isMatch(filter, event))
        const accounted = (): number => {
          const { handled, skipped, dropped } = subscription.status
          return handled + skipped + dropped
        }
        return { kind, behaving, subscription, matching, accounted }
      })
      for (const batch of published) {
        const publishing = bus.publishMany(batch)
        if (inTurn) await publishing
      }
      const others = parties.filter(({ kind }) => kind !== 'hanging')
      while (others.some(({ accounted, matching }) => accounted() < matching.length)) {
        await new Promise(setImmediate)
      }
      await bus.close()
      for (const { kind, behaving, subscription, matching, accounted } of parties) {
        const { name, skipped, dropped } = subscription.status
        const { seen, ...expected } = behaving.expectedOf(matching.length)
        expect(behaving.seen).toEqual(matching.slice(0, kind === 'hanging' ? behaving.seen.length : seen))
        if (kind !== 'hanging') expect({ skipped, dropped }).toEqual(expected)
        expect(accounted()).toBe(matching.length)
        expect(reported.filter((one) => one === name)).toHaveLength(skipped + (dropped > 0 ? 1 : 0))
      }
    }),
  )
})
