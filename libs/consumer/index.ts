export { type ConsumedMessage } from './consumed-message.ts'
export {
  createEventDecoder,
  EventDecoder,
  type EventDecoderOptions,
  type EventOf,
  type RebalancingConsumer,
} from './event-decoder.ts'
export { type DecodedMessage, type UnreadEvent } from './decoded-message.ts'
export { type RegistryMiddleware, registryTimeout } from './registry-timeout.ts'
export { type RegistryClient } from './schema-lookup.ts'
