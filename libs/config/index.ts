export { ConfigError, type ConfigProblem, withoutCredentials } from './config-error.ts'
export { configReference } from './config-reference.ts'
export { type Config, type Environment, loadConfig } from './load-config.ts'
