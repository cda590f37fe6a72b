import { type DomainEvent, type RecordedEvent } from '#domain'
import { recordEvents } from '#domain/testing'

import { EventBus, type EventBusOptions, type Report } from '../index.ts'

const happened = (streamId: string, ...types: string[]): readonly RecordedEvent[] =>
  recordEvents(
    streamId,
    types.map((type): DomainEvent => ({ type, data: null })),
  )

export const [placed, paid, sent] = happened('order.1', 'Placed', 'Paid', 'Sent') as [
  RecordedEvent,
  RecordedEvent,
  RecordedEvent,
]
export const [joined] = happened('customer.1', 'Joined') as [RecordedEvent]

/** A report of the bus: the error, the event and the status of the subscriber. */
export type Failure = Parameters<Report>

/** A bus that records its failures. */
export function openBus(options: Partial<EventBusOptions> = {}) {
  const failures: Failure[] = []
  const bus = new EventBus({ onFailure: (...failure) => failures.push(failure), ...options })
  const codes = (): string[] => failures.map(([{ code }, , { name }]) => `${name}: ${code}`)
  return { bus, failures, codes }
}

/** A handler that blocks until it is released. */
export function heldUp() {
  const seen: RecordedEvent[] = []
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const handler = (event: RecordedEvent): Promise<undefined> => {
    seen.push(event)
    return promise
  }
  return { seen, handler, goOn: () => resolve(undefined) }
}
