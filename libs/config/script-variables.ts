/** Variables that the scripts, the tests and the command line read. Services ignore them. */
export const scriptVariables: readonly string[] = [
  'ANNALS_HOME',
  'ANNALS_KAFKA_CONTROLLER_PORT',
  'ANNALS_KAFKA_PORT',
  'ANNALS_POSTGRES',
  'ANNALS_POSTGRES_PORT',
  'ANNALS_REDIS_MAX_MEMORY',
  'ANNALS_REDIS_PORT',
  'ANNALS_REGISTRY_PORT',
  'ANNALS_TEST_LOG',
  'ANNALS_TEST_STACK',
  'ANNALS_URL',
]
