import { type Config, loadConfig, stackUser } from '#config'

import { provideSecrets } from '../stack/index.ts'
import type { StackSettings } from './settings.ts'

const modules = {
  PLAIN: 'org.apache.kafka.common.security.plain.PlainLoginModule',
  'SCRAM-SHA-256': 'org.apache.kafka.common.security.scram.ScramLoginModule',
  'SCRAM-SHA-512': 'org.apache.kafka.common.security.scram.ScramLoginModule',
} as const

/**
 * The properties of Java's Kafka clients with which the registry logs in to its Kafka: that of this stack, or the one
 * that the environment names.
 */
export function registryLogin(
  settings: StackSettings,
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  if (settings.external.kafka !== undefined) return kafkaClientOf(loadConfig(env))
  const { kafka: password } = provideSecrets(settings.folders)
  return clientProperties(false, { mechanism: 'PLAIN', username: stackUser, password })
}

/** What the settings of a service say, in the words of Java's Kafka clients; without a client certificate. */
function kafkaClientOf({ kafka: { ssl, sasl } }: Pick<Config, 'kafka'>): Readonly<Record<string, string>> {
  const { caFile } = ssl
  return {
    ...clientProperties(ssl.enabled, sasl),
    ...(caFile !== undefined && { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': caFile }),
  }
}

function clientProperties(
  isTls: boolean,
  { mechanism, username = '', password = '' }: Config['kafka']['sasl'],
): Readonly<Record<string, string>> {
  if (mechanism === undefined) return isTls ? { 'security.protocol': 'SSL' } : {}
  const quoted = [username, password].map((text) => `"${text.replaceAll(/[\\"]/g, '\\$&')}"`)
  return {
    'security.protocol': isTls ? 'SASL_SSL' : 'SASL_PLAINTEXT',
    'sasl.mechanism': mechanism,
    'sasl.jaas.config': `${modules[mechanism]} required username=${quoted[0] ?? ''} password=${quoted[1] ?? ''};`,
  }
}
