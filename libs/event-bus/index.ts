export { type Published } from './delivery.ts'
export { EventBus, type EventBusOptions, type Subscription } from './event-bus.ts'
export { type EventBusCode, EventBusError } from './event-bus-error.ts'
export { type EventFilter } from './event-filter.ts'
export { type CursoredEvent, feedBus, type FeedOptions } from './feed-bus.ts'
export { ack, type Outcome, skip, stop } from './outcome.ts'
export {
  type Handler,
  type Report,
  type SubscribeOptions,
  type SubscriberState,
  type SubscriberStatus,
} from './subscriber.ts'
