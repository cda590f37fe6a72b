import type { ConfigValues } from './config-schema.ts'
import { isLoopback } from './is-loopback.ts'

/** A rule between settings. */
interface CrossSettingRule {
  /** The variables that the rule is about. The first one is the one to change. */
  readonly settings: readonly [string, ...string[]]
  readonly holds: (config: ConfigValues) => boolean
  /** What is expected of the first variable. */
  readonly expected: string
}

/** One setting may not exceed another. */
const atMost = (
  [smaller, valueOf]: readonly [string, (config: ConfigValues) => number],
  [greater, boundOf]: readonly [string, (config: ConfigValues) => number],
): CrossSettingRule => ({
  settings: [smaller, greater],
  holds: (config) => valueOf(config) <= boundOf(config),
  expected: `at most ${greater}`,
})

/** Either all of these settings are given, or none of them. */
const together = (
  settings: readonly [string, ...string[]],
  valuesOf: (config: ConfigValues) => readonly unknown[],
): CrossSettingRule => ({
  settings,
  holds: (config) => new Set(valuesOf(config).map((value) => value === undefined)).size === 1,
  expected: `${settings.join(' and ')} together, or none of them`,
})

const allAddresses = ['0.0.0.0', '::']

const isProtected = ({ access }: ConfigValues): boolean => access.mode === 'file' || access.mode === 'topic'

export const crossSettingRules: readonly CrossSettingRule[] = [
  {
    settings: ['ANNALS_ADVERTISED_URL', 'ANNALS_HOST'],
    holds: ({ http }) => http.advertisedUrl !== undefined || !allAddresses.includes(http.host),
    expected: 'the URL at which others reach this service, because ANNALS_HOST stands for all addresses',
  },
  {
    settings: ['ANNALS_ACCESS', 'ANNALS_HOST'],
    holds: ({ access, http }) => access.mode !== undefined || isLoopback(http.host),
    expected:
      'topic or file to control access, or open to let everyone in, because other machines reach ANNALS_HOST; docs/guide/access.md explains how to start',
  },
  {
    settings: ['ANNALS_ACCESS_FILE', 'ANNALS_ACCESS'],
    holds: ({ access }) => (access.mode === 'file') === (access.file !== undefined),
    expected: 'the path of the access file if ANNALS_ACCESS is file, and nothing otherwise',
  },
  {
    settings: ['ANNALS_JWT_JWKS_URL', 'ANNALS_ACCESS'],
    holds: (config) => config.access.jwt.jwksUrl === undefined || isProtected(config),
    expected: 'nothing unless ANNALS_ACCESS is topic or file',
  },
  {
    settings: ['ANNALS_JWT_JWKS_URL'],
    holds: ({ access: { jwt } }) =>
      jwt.jwksUrl === undefined ||
      jwt.jwksUrl.startsWith('https:') ||
      isLoopback(new URL(jwt.jwksUrl).hostname),
    expected: 'a URL that begins with https://, because keys from elsewhere could be replaced on their way',
  },
  together(['ANNALS_JWT_JWKS_URL', 'ANNALS_JWT_ISSUER', 'ANNALS_JWT_AUDIENCE'], ({ access: { jwt } }) => [
    jwt.jwksUrl,
    jwt.issuer,
    jwt.audience,
  ]),
  together(['ANNALS_TLS_CERT_FILE', 'ANNALS_TLS_KEY_FILE'], ({ tls }) => [tls.certFile, tls.keyFile]),
  {
    settings: ['ANNALS_TLS_CLIENT_CA_FILE', 'ANNALS_TLS_CERT_FILE'],
    holds: ({ tls }) => tls.clientCaFile === undefined || tls.certFile !== undefined,
    expected: 'nothing without ANNALS_TLS_CERT_FILE',
  },
  atMost(
    ['ANNALS_KAFKA_REQUEST_TIMEOUT', ({ kafka }) => kafka.requestTimeoutMs],
    ['ANNALS_WRITER_APPEND_TIMEOUT', ({ writer }) => writer.appendTimeoutMs],
  ),
  atMost(
    ['ANNALS_KAFKA_MIN_INSYNC', ({ kafka }) => kafka.minInsyncReplicas],
    ['ANNALS_KAFKA_REPLICATION', ({ kafka }) => kafka.replication],
  ),
  atMost(
    ['ANNALS_WRITER_APPEND_BYTES_MAX', ({ writer }) => writer.appendBytesMax],
    ['ANNALS_WRITER_BATCH_BYTES_MAX', ({ writer }) => writer.batchBytesMax],
  ),
  atMost(
    ['ANNALS_WRITER_BATCH_BYTES_MAX', ({ writer }) => writer.batchBytesMax],
    ['ANNALS_KAFKA_MESSAGE_BYTES_MAX', ({ kafka }) => kafka.messageBytesMax],
  ),
  atMost(
    ['ANNALS_WRITER_APPEND_BYTES_MAX', ({ writer }) => writer.appendBytesMax],
    ['ANNALS_BODY_BYTES_MAX', ({ http }) => http.bodyBytesMax],
  ),
  atMost(
    ['ANNALS_BODY_BYTES_MAX', ({ http }) => http.bodyBytesMax],
    ['ANNALS_BODIES_BYTES_MAX', ({ http }) => http.bodiesBytesMax],
  ),
  atMost(
    ['ANNALS_WRITER_APPEND_EVENTS_MAX', ({ writer }) => writer.appendEventsMax],
    ['ANNALS_WRITER_BATCH_EVENTS_MAX', ({ writer }) => writer.batchEventsMax],
  ),
  atMost(
    ['ANNALS_WRITER_BATCH_EVENTS_MAX', ({ writer }) => writer.batchEventsMax],
    ['ANNALS_WRITER_QUEUE_EVENTS_MAX', ({ writer }) => writer.queueEventsMax],
  ),
  atMost(
    ['ANNALS_WRITER_BATCH_EVENTS_MAX', ({ writer }) => writer.batchEventsMax],
    ['ANNALS_INDEX_REMEMBERED_IDS_MAX', ({ index }) => index.rememberedIdsMax],
  ),
  {
    settings: ['ANNALS_PROJECTOR_POSTGRES_URL', 'ANNALS_PROJECTOR_STORE'],
    holds: ({ projector }) => projector.store !== 'postgres' || projector.postgresUrl !== undefined,
    expected: 'the URL of PostgreSQL, because ANNALS_PROJECTOR_STORE is postgres',
  },
  together(['ANNALS_KAFKA_SSL_CERT_FILE', 'ANNALS_KAFKA_SSL_KEY_FILE'], ({ kafka: { ssl } }) => [
    ssl.certFile,
    ssl.keyFile,
  ]),
  {
    settings: [
      'ANNALS_KAFKA_SSL',
      'ANNALS_KAFKA_SSL_CA_FILE',
      'ANNALS_KAFKA_SSL_CERT_FILE',
      'ANNALS_KAFKA_SSL_KEY_FILE',
    ],
    holds: ({ kafka: { ssl } }) =>
      ssl.enabled || [ssl.caFile, ssl.certFile, ssl.keyFile].every((file) => file === undefined),
    expected:
      'true when ANNALS_KAFKA_SSL_CA_FILE, ANNALS_KAFKA_SSL_CERT_FILE or ANNALS_KAFKA_SSL_KEY_FILE is given',
  },
  together(
    ['ANNALS_KAFKA_SASL_MECHANISM', 'ANNALS_KAFKA_SASL_USERNAME', 'ANNALS_KAFKA_SASL_PASSWORD'],
    ({ kafka: { sasl } }) => [sasl.mechanism, sasl.username, sasl.password],
  ),
  together(['ANNALS_REDIS_CERT_FILE', 'ANNALS_REDIS_KEY_FILE'], ({ redis: { tls } }) => [
    tls.certFile,
    tls.keyFile,
  ]),
  {
    settings: ['ANNALS_REDIS_URL', 'ANNALS_REDIS_CA_FILE', 'ANNALS_REDIS_CERT_FILE'],
    holds: ({ redis: { url, tls } }) =>
      (tls.caFile === undefined && tls.certFile === undefined) ||
      url.split(',').every((node) => node.trim().startsWith('rediss:')),
    expected: 'URLs that begin with rediss:// when ANNALS_REDIS_CA_FILE or ANNALS_REDIS_CERT_FILE is given',
  },
  {
    settings: ['ANNALS_REGISTRY_URL', 'ANNALS_REGISTRY_CA_FILE'],
    holds: ({ registry }) => registry.caFile === undefined || registry.url.startsWith('https:'),
    expected: 'a URL that begins with https:// when ANNALS_REGISTRY_CA_FILE is given',
  },
  together(['ANNALS_REGISTRY_USERNAME', 'ANNALS_REGISTRY_PASSWORD'], ({ registry }) => [
    registry.username,
    registry.password,
  ]),
]
