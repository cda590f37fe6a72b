export { postgresAsksForLogin } from '#projections-postgres'

export { type Backends, openBackends } from './backends.ts'
export { checkedDomain } from './check-domain.ts'
export { kafkaSettings, redisSettings, registryOptions } from './connection-settings.ts'
export { groupMember, type MemberParts } from './group-member.ts'
export { internalCaller } from './internal-caller.ts'
export { loadDomain } from './load-domain.ts'
export { openCodec } from './open-codec.ts'
export {
  type Connections,
  type ReadingBackends,
  withConnections,
  withReadingBackends,
} from './open-for-reading.ts'
export { openViewStore } from './open-view-store.ts'
export { peerPath } from './peer-route.ts'
export { peerTokens, proofCheck, signedSender } from './peer-tokens.ts'
export { peerTls } from './peer-tls.ts'
export { peerUrls } from './peer-urls.ts'
export { contextOf, ownContext, type RequestContext } from './request-context.ts'
export { openProtection } from './protection.ts'
export { type RunningService, runService, type ServiceParts } from './run-service.ts'
export { serve, type ServicePart } from './serve.ts'
export { isRunning, processId, userId } from './this-process.ts'
export { eventTopicSpec, partitionsOf, snapshotTopicSpec } from './topic-specs.ts'
export { version } from './version.ts'
