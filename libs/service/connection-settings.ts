import { readFileSync } from 'node:fs'

import { type Config, ConfigError } from '#config'
import type { KafkaSettings } from '#kafka'
import type { RedisSettings } from '#redis-index'
import type { RegistryOptions } from '#schemas'

/** @throws ConfigError when a certificate file cannot be read. */
export function kafkaSettings({ kafka }: Pick<Config, 'kafka'>): KafkaSettings {
  const sasl = saslSettings(kafka.sasl)
  return {
    brokers: kafka.brokers,
    clientId: kafka.clientId,
    ssl: kafka.ssl.enabled && tlsOptions(kafka.ssl),
    ...(sasl && { sasl }),
    requestTimeoutMs: kafka.requestTimeoutMs,
    connectTimeoutMs: kafka.connectTimeoutMs,
  }
}

const saslSettings = ({
  mechanism,
  username = '',
  password = '',
}: Config['kafka']['sasl']): KafkaSettings['sasl'] => mechanism && { mechanism, username, password }

function tlsOptions({ caFile, certFile, keyFile }: Config['kafka']['ssl']) {
  return {
    ...(caFile !== undefined && { ca: fileContent('ANNALS_KAFKA_SSL_CA_FILE', caFile) }),
    ...(certFile !== undefined && { cert: fileContent('ANNALS_KAFKA_SSL_CERT_FILE', certFile) }),
    ...(keyFile !== undefined && { key: fileContent('ANNALS_KAFKA_SSL_KEY_FILE', keyFile) }),
  }
}

function fileContent(key: string, value: string): Buffer {
  try {
    return readFileSync(value)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError([{ key, value, problem: `cannot be read: ${reason}` }])
  }
}

export const redisSettings = ({ redis }: Pick<Config, 'redis'>): RedisSettings => ({
  url: redis.url,
  keyPrefix: redis.keyPrefix,
  ...(redis.cluster !== 'auto' && { cluster: redis.cluster === 'true' }),
  commandTimeoutMs: redis.commandTimeoutMs,
})

export function registryOptions({ registry }: Pick<Config, 'registry'>): RegistryOptions {
  const url = new URL(registry.url)
  if (registry.username !== undefined) url.username = registry.username
  if (registry.password !== undefined) url.password = registry.password
  return { url: url.href, timeoutMs: registry.timeoutMs }
}
