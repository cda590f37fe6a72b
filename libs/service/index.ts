export { type Backends, openBackends } from './backends.ts'
export { kafkaSettings, redisSettings, registryOptions } from './connection-settings.ts'
export { loadDomain } from './load-domain.ts'
export { type RunningService, runService, type ServiceParts } from './run-service.ts'
