import { Type } from '@sinclair/typebox'

import type { ErrorCode } from '#event-store'

import { problemResponses } from './problem-schema.ts'
import { progressEvent, type ServerSentEvent } from './sse.ts'

/**
 * The parts of a route's schema that all subscriptions share.
 * @param description of the events that are sent
 * @param problems that may be the answer before the first event
 */
export const subscriptionSchema = (description: string, ...problems: readonly ErrorCode[]) => ({
  headers: Type.Object({
    'last-event-id': Type.Optional(
      Type.String({ description: 'Resume after this cursor; takes precedence over the query' }),
    ),
  }),
  response: {
    200: { description, content: { 'text/event-stream': { schema: Type.String() } } },
    ...problemResponses(...problems),
  },
})

/**
 * The events of one batch of a subscription, each built when it is about to be sent. A batch without items reports the
 * progress of the subscription.
 */
export function* batchEvents<Item>(
  items: readonly Item[],
  cursor: string,
  toEvent: (item: Item) => ServerSentEvent,
): Generator<ServerSentEvent> {
  if (items.length === 0) yield progressEvent(cursor)
  for (const item of items) yield toEvent(item)
}

/** The JSON text of objects that several subscribers receive. Each object is formatted once. */
export function sharedJson<Item extends object>(toJson: (item: Item) => unknown): (item: Item) => string {
  const texts = new WeakMap<Item, string>()
  return (item) => {
    const known = texts.get(item)
    if (known !== undefined) return known
    const text = JSON.stringify(toJson(item))
    texts.set(item, text)
    return text
  }
}
