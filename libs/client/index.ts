export { AnnalsClient } from './annals-client.ts'
export { type CoalesceLimits } from './append-lane.ts'
export { type RetryLimits } from './backoff.ts'
export { type ClientOptions, type SubscribeOptions } from './client-options.ts'
export { type OnProgress } from './follow-stream.ts'
export { HttpTransport, type TransportOptions } from './http-transport.ts'
export {
  type CheckPeerProof,
  PeerCheck,
  type PeerCheckOptions,
  type PeerIdentity,
  type PeerVerdict,
  type ProvenIdentity,
} from './peer-check.ts'
export { PeerClients, type PeerSender } from './peer-clients.ts'
export { ProjectionHandle, type SubscribeViewsOptions } from './projections-handle.ts'
export { type ClientTlsOptions, tlsProblemOf } from './tls-options.ts'
export {
  type PartitionOwner,
  type PlacedStreamInfo,
  type StateAt,
  type StreamState,
  WriterEndpoint,
} from './writer-endpoint.ts'
