export { checkServiceConfig } from './check-service-config.ts'
export { ConfigError } from './config-error.ts'
export { configReference } from './config-reference.ts'
export { type Config, type Environment, loadConfig } from './load-config.ts'
export { isLoopback } from './is-loopback.ts'
export { settingsHelp } from './settings-help.ts'
export { shownSettings } from './shown-settings.ts'
export {
  stackLogins,
  type StackPasswords,
  stackPasswordNames,
  stackPasswords,
  type StackServers,
  stackUser,
} from './stack-logins.ts'
export { parseQuantity, sizeUnits, timeUnits } from './units.ts'
