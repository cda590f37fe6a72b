export { type Backends, openBackends } from './backends.ts'
export { checkedDomain, typesWithoutDomain } from './check-domain.ts'
export { kafkaSettings, redisSettings, registryOptions } from './connection-settings.ts'
export { reportForeign } from './foreign-members.ts'
export { loadDomain } from './load-domain.ts'
export { openCodec } from './open-codec.ts'
export {
  type Connections,
  type ReadingBackends,
  withConnections,
  withReadingBackends,
} from './open-for-reading.ts'
export { openViewStore } from './open-view-store.ts'
export { allRoutes, peerPath, peerRoute, type PeerRole } from './peer-route.ts'
export { type RunningService, runService, type ServiceParts } from './run-service.ts'
export { serve, type ServicePart } from './serve.ts'
export { isRunning, processId, userId } from './this-process.ts'
export { eventTopicSpec, partitionsOf, snapshotTopicSpec } from './topic-specs.ts'
export { version } from './version.ts'
