export { type Backends, openBackends } from './backends.ts'
export { checkedDomain } from './check-domain.ts'
export { kafkaSettings, redisSettings, registryOptions } from './connection-settings.ts'
export { groupMember, type MemberParts } from './group-member.ts'
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
export { contextOf, fromCaller, type RequestContext } from './request-context.ts'
export { type RunningService, runService, type ServiceParts } from './run-service.ts'
export { serve, type ServicePart } from './serve.ts'
export { isRunning, processId, userId } from './this-process.ts'
export { eventTopicSpec, partitionsOf, snapshotTopicSpec } from './topic-specs.ts'
export { version } from './version.ts'
