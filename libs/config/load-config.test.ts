import { Value } from '@sinclair/typebox/value'
import { describe, expect, test } from 'vitest'

import { checkServiceConfig } from './check-service-config.ts'
import { ConfigError } from './config-error.ts'
import { configSchema } from './config-schema.ts'
import { crossSettingRules } from './cross-setting-rules.ts'
import { type Environment, loadConfig } from './load-config.ts'
import { formatSetting, parseSetting } from './parse-setting.ts'
import { settingsOf } from './setting-tree.ts'

function failure(env: Environment): ConfigError {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error(`expected ${JSON.stringify(env)} to be rejected`)
}

const settings = settingsOf(configSchema).map(({ setting }) => setting)

describe('without any variable', () => {
  test('all settings have their defaults, which fit the schema', () => {
    const config = loadConfig({})
    expect(Value.Check(configSchema, config)).toBe(true)
    expect(config).toMatchObject({
      http: { host: '127.0.0.1', port: 7400, advertisedUrl: 'http://127.0.0.1:7400' },
      kafka: { brokers: ['127.0.0.1:9092'], ssl: { enabled: false }, partitions: 8 },
    })
    expect(config.kafka.sasl).toEqual({})
  })

  test('an empty variable counts as absent, and a foreign variable is ignored', () => {
    expect(loadConfig({ ANNALS_PORT: '', ANNALS_LOG_LEVEL: ' ', PORT: 'x', ANNALS_HOME: '/srv' })).toEqual(
      loadConfig({}),
    )
  })
})

test('every kind of setting is read', () => {
  const config = loadConfig({
    ANNALS_HOST: '0.0.0.0',
    ANNALS_ACCESS: 'open',
    ANNALS_PORT: '0',
    ANNALS_ADVERTISED_URL: 'https://annals.example.com',
    ANNALS_KAFKA_BROKERS: 'kafka-1:9092, [::1]:9093',
    ANNALS_KAFKA_SSL: 'true',
    ANNALS_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    ANNALS_KAFKA_SASL_USERNAME: 'annals',
    ANNALS_KAFKA_SASL_PASSWORD: 'secret=, with commas',
    ANNALS_REDIS_URL: 'redis://a:1,redis://b:2',
    ANNALS_WRITER_FENCE_RENEWAL: '30m',
    ANNALS_WRITER_BATCH_BYTES_MAX: '512KiB',
    ANNALS_LOG_PRETTY: 'false',
  })
  expect(config).toMatchObject({
    http: { host: '0.0.0.0', port: 0, advertisedUrl: 'https://annals.example.com' },
    kafka: {
      brokers: ['kafka-1:9092', '[::1]:9093'],
      ssl: { enabled: true },
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'annals', password: 'secret=, with commas' },
    },
    redis: { url: 'redis://a:1,redis://b:2' },
    writer: { fenceRenewalMs: 1_800_000, batchBytesMax: 524_288 },
    log: { pretty: 'false' },
  })
})

test('an IPv6 host is put in brackets in the URL', () => {
  expect(loadConfig({ ANNALS_HOST: '::1' }).http.advertisedUrl).toBe('http://[::1]:7400')
})

test.each([
  ['ANNALS_PORT', '99999', 'expected a whole number from 0 to 65535'],
  ['ANNALS_PORT', '74.5', 'expected a whole number from 0 to 65535'],
  ['ANNALS_KAFKA_PARTITIONS', '0', 'expected a whole number from 1 to 10000'],
  ['ANNALS_WRITER_APPEND_TIMEOUT', '40', 'it has no unit: expected a duration like 500ms, 5s, 2m or 1h'],
  ['ANNALS_WRITER_APPEND_TIMEOUT', '0s', 'expected a duration like 500ms, 5s, 2m or 1h'],
  ['ANNALS_WRITER_SESSION_TIMEOUT', '1s', 'expected a duration like 500ms, 5s, 2m or 1h from 6s to 5m'],
  [
    'ANNALS_BODY_BYTES_MAX',
    '10MB',
    'its unit MB is none of B, KiB, MiB, GiB: expected a size like 512KiB or 1MiB',
  ],
  ['ANNALS_KAFKA_SSL', 'yes', 'expected true or false'],
  ['ANNALS_LOG_LEVEL', 'loud', 'expected one of trace, debug, info, warn, error, fatal, silent'],
  ['ANNALS_KAFKA_BROKERS', 'kafka', 'expected host:port of one or more brokers, separated by commas'],
  ['ANNALS_KAFKA_BROKERS', 'a:1,,b:2', 'expected host:port of one or more brokers, separated by commas'],
  ['ANNALS_KAFKA_BROKERS', 'http://a:1', 'expected host:port of one or more brokers, separated by commas'],
  ['ANNALS_REGISTRY_URL', 'registry', 'it is not a URL: expected a URL that begins with http:// or https://'],
  [
    'ANNALS_REGISTRY_URL',
    'ftp://registry',
    'its protocol is ftp:: expected a URL that begins with http:// or https://',
  ],
  ['ANNALS_REDIS_KEY_PREFIX', 'a{b}', 'expected letters, digits and _ . : -'],
])('%s=%s is rejected: %s', (key, value, problem) => {
  expect(failure({ [key]: value }).problems).toEqual([{ key, value, problem }])
})

describe('an unknown variable', () => {
  test.each([
    ['ANNALS_KAFKA_BROKER', 'there is no such setting; did you mean ANNALS_KAFKA_BROKERS?'],
    ['ANNALS_POTR', 'there is no such setting; did you mean ANNALS_PORT?'],
    ['ANNALS_REDIS_PROT', 'there is no such setting; did you mean ANNALS_REDIS_PORT?'],
    ['ANNALS_SOMETHING_ELSE_ALTOGETHER', 'there is no such setting'],
  ])('%s is rejected: %s', (key, problem) => {
    expect(failure({ [key]: 'x' }).problems).toEqual([{ key, problem }])
  })
})

test('services need a peer secret unless access is open; commands do not', () => {
  const secret = 'hidden-0123456789-0123456789-0123456789'
  const check = (env: Environment) => () => checkServiceConfig(loadConfig(env))
  expect(check({})).not.toThrow()
  expect(check({ ANNALS_ACCESS: 'open' })).not.toThrow()
  expect(check({ ANNALS_ACCESS: 'topic', ANNALS_PEER_SECRET: secret })).not.toThrow()
  expect(check({ ANNALS_ACCESS: 'topic' })).toThrow(/ANNALS_PEER_SECRET: .*openssl rand -hex 32/)
})

describe('settings that conflict', () => {
  const peerSecret = 'hidden-0123456789-0123456789-0123456789'
  const jwt = (jwksUrl: string, mode: string): Environment => ({
    ANNALS_ACCESS: mode,
    ANNALS_PEER_SECRET: peerSecret,
    ANNALS_JWT_JWKS_URL: jwksUrl,
    ANNALS_JWT_ISSUER: 'https://id.example.com',
    ANNALS_JWT_AUDIENCE: 'annals',
  })
  const rows: readonly [string, Environment, string][] = [
    ['ANNALS_ADVERTISED_URL', { ANNALS_HOST: '0.0.0.0', ANNALS_ACCESS: 'open' }, 'ANNALS_HOST is 0.0.0.0'],
    ['ANNALS_ACCESS', { ANNALS_HOST: '192.168.1.2' }, 'other machines reach ANNALS_HOST'],
    ['ANNALS_ACCESS_FILE', { ANNALS_ACCESS: 'file', ANNALS_PEER_SECRET: peerSecret }, 'ACCESS is file'],
    ['ANNALS_JWT_JWKS_URL', jwt('https://id.example.com/keys', 'open'), 'ANNALS_ACCESS is open'],
    ['ANNALS_JWT_JWKS_URL', jwt('http://id.example.com/keys', 'topic'), 'begins with https://'],
    [
      'ANNALS_JWT_JWKS_URL',
      { ...jwt('https://id.example.com/keys', 'topic'), ANNALS_JWT_AUDIENCE: '' },
      'ANNALS_JWT_AUDIENCE is not given',
    ],
    ['ANNALS_TLS_CERT_FILE', { ANNALS_TLS_CERT_FILE: 'cert.pem' }, 'ANNALS_TLS_KEY_FILE is not given'],
    ['ANNALS_TLS_CLIENT_CA_FILE', { ANNALS_TLS_CLIENT_CA_FILE: 'ca.pem' }, 'TLS_CERT_FILE is not given'],
    ['ANNALS_KAFKA_REQUEST_TIMEOUT', { ANNALS_KAFKA_REQUEST_TIMEOUT: '31s' }, 'TIMEOUT is 30s'],
    ['ANNALS_KAFKA_MIN_INSYNC', { ANNALS_KAFKA_MIN_INSYNC: '2' }, 'ANNALS_KAFKA_REPLICATION is 1'],
    ['ANNALS_WRITER_APPEND_BYTES_MAX', { ANNALS_WRITER_BATCH_BYTES_MAX: '1KiB' }, 'BYTES_MAX is 1KiB'],
    ['ANNALS_WRITER_BATCH_BYTES_MAX', { ANNALS_WRITER_BATCH_BYTES_MAX: '2MiB' }, 'BYTES_MAX is 1MiB'],
    ['ANNALS_WRITER_APPEND_BYTES_MAX', { ANNALS_BODY_BYTES_MAX: '1KiB' }, 'BODY_BYTES_MAX is 1KiB'],
    ['ANNALS_BODY_BYTES_MAX', { ANNALS_BODIES_BYTES_MAX: '1MiB' }, 'BODIES_BYTES_MAX is 1MiB'],
    ['ANNALS_WRITER_APPEND_EVENTS_MAX', { ANNALS_WRITER_APPEND_EVENTS_MAX: '1001' }, 'MAX is 1000'],
    ['ANNALS_WRITER_BATCH_EVENTS_MAX', { ANNALS_WRITER_QUEUE_EVENTS_MAX: '999' }, 'MAX is 999'],
    ['ANNALS_WRITER_BATCH_EVENTS_MAX', { ANNALS_INDEX_REMEMBERED_IDS_MAX: '10' }, 'IDS_MAX is 10'],
    ['ANNALS_PROJECTOR_POSTGRES_URL', { ANNALS_PROJECTOR_STORE: 'postgres' }, 'STORE is postgres'],
    [
      'ANNALS_KAFKA_SSL_CERT_FILE',
      { ANNALS_KAFKA_SSL: 'true', ANNALS_KAFKA_SSL_KEY_FILE: 'key.pem' },
      'ANNALS_KAFKA_SSL_KEY_FILE is key.pem',
    ],
    ['ANNALS_KAFKA_SSL', { ANNALS_KAFKA_SSL_CA_FILE: 'ca.pem' }, 'ANNALS_KAFKA_SSL_CA_FILE is ca.pem'],
    [
      'ANNALS_KAFKA_SASL_MECHANISM',
      { ANNALS_KAFKA_SASL_USERNAME: 'u', ANNALS_KAFKA_SASL_PASSWORD: 'hidden' },
      'ANNALS_KAFKA_SASL_PASSWORD is (secret)',
    ],
    ['ANNALS_REGISTRY_USERNAME', { ANNALS_REGISTRY_USERNAME: 'u' }, 'PASSWORD is not given'],
    [
      'ANNALS_REDIS_CERT_FILE',
      { ANNALS_REDIS_URL: 'rediss://r', ANNALS_REDIS_CERT_FILE: 'cert.pem' },
      'ANNALS_REDIS_KEY_FILE is not given',
    ],
    [
      'ANNALS_REDIS_URL',
      { ANNALS_REDIS_URL: 'rediss://a,redis://:hidden@b', ANNALS_REDIS_CA_FILE: 'ca.pem' },
      'begin with rediss://',
    ],
    ['ANNALS_REGISTRY_URL', { ANNALS_REGISTRY_CA_FILE: 'ca.pem' }, 'begins with https://'],
  ]

  test.each(rows)('are rejected at %s: %j', (key, env, words) => {
    const { problems } = failure(env)
    expect(problems.map((it) => it.key)).toEqual([key])
    expect(problems[0]?.problem).toContain(words)
    expect(JSON.stringify(problems)).not.toContain('hidden')
  })

  test('each rule names existing settings, and every rule has a row above', () => {
    const names = settings.map(({ env }) => env)
    for (const rule of crossSettingRules) expect(names).toEqual(expect.arrayContaining([...rule.settings]))
    expect(crossSettingRules).toHaveLength(rows.length)
  })

  test('are not checked while one of them is malformed', () => {
    const { problems } = failure({ ANNALS_KAFKA_MIN_INSYNC: '3', ANNALS_KAFKA_REPLICATION: 'three' })
    expect(problems.map(({ key }) => key)).toEqual(['ANNALS_KAFKA_REPLICATION'])
  })
})

test('all problems are reported at once, one per line', () => {
  const { message, problems } = failure({
    ANNALS_PORT: 'x',
    ANNALS_KAFKA_BROKER: 'a:1',
    ANNALS_KAFKA_MIN_INSYNC: '2',
  })
  expect(problems).toHaveLength(3)
  expect(message.split('\n')).toEqual([
    '3 settings are invalid (docs/configuration.md lists all settings):',
    '  ANNALS_PORT=x: expected a whole number from 0 to 65535',
    '  ANNALS_KAFKA_BROKER: there is no such setting; did you mean ANNALS_KAFKA_BROKERS?',
    '  ANNALS_KAFKA_MIN_INSYNC=2: expected at most ANNALS_KAFKA_REPLICATION (ANNALS_KAFKA_REPLICATION is 1)',
  ])
  expect(failure({ ANNALS_PORT: 'x' }).message).toMatch(/^One setting is invalid/)
})

test('user and password of a URL are not shown', () => {
  const { message } = failure({ ANNALS_REGISTRY_URL: 'ftp://ada:hidden@registry' })
  expect(message).toContain('ftp://***@registry')
  expect(message).not.toContain('hidden')
})

describe('the schema', () => {
  test('has each variable once, with a description', () => {
    const names = settings.map(({ env }) => env)
    expect(new Set(names).size).toBe(names.length)
    for (const { env, description } of settings) {
      expect(env).toMatch(/^ANNALS_[A-Z_]+$/)
      expect(description).toMatch(/^[A-Z].+\.$/)
    }
  })

  test.each(settings.filter((it) => it.default !== undefined).map((it) => [it.env, it] as const))(
    'the default of %s is valid, and parses back from its text',
    (_, setting) => {
      expect(Value.Check(setting, setting.default)).toBe(true)
      const text = formatSetting(setting, setting.default)
      if (text !== '') expect(parseSetting(setting, text)).toEqual({ value: setting.default as unknown })
    },
  )
})
