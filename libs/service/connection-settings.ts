import { readFileSync } from 'node:fs'

import { type Config, ConfigError } from '#config'
import type { KafkaSettings } from '#kafka'
import type { RedisSettings } from '#redis-index'
import type { RegistryOptions } from '#schemas'

import { kafkaAdvice, redisAdvice, registryAdvice } from './connection-advice.ts'

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
    advise: kafkaAdvice(kafka),
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

/** @throws ConfigError when a certificate file cannot be read. */
export const redisSettings = ({ redis }: Pick<Config, 'redis'>): RedisSettings => ({
  url: redis.url,
  keyPrefix: redis.keyPrefix,
  ...(redis.cluster !== 'auto' && { cluster: redis.cluster === 'true' }),
  commandTimeoutMs: redis.commandTimeoutMs,
  tls: redisTls(redis.tls),
  advise: redisAdvice(redis),
})

function redisTls({ caFile, certFile, keyFile }: Config['redis']['tls']): RedisSettings['tls'] & object {
  return {
    ...(caFile !== undefined && { ca: fileContent('ANNALS_REDIS_CA_FILE', caFile) }),
    ...(certFile !== undefined && { cert: fileContent('ANNALS_REDIS_CERT_FILE', certFile) }),
    ...(keyFile !== undefined && { key: fileContent('ANNALS_REDIS_KEY_FILE', keyFile) }),
  }
}

/** @throws ConfigError when a certificate file cannot be read. */
export function registryOptions({ registry }: Pick<Config, 'registry'>): RegistryOptions {
  const url = new URL(registry.url)
  const { username, password, caFile, timeoutMs } = registry
  if (username !== undefined) url.username = username
  if (password !== undefined) url.password = password
  return {
    url: url.href,
    timeoutMs,
    ...(caFile !== undefined && { ca: fileContent('ANNALS_REGISTRY_CA_FILE', caFile) }),
    advise: registryAdvice(registry),
  }
}
