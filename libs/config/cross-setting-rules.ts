import type { ConfigValues } from './config-schema.ts'

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

export const crossSettingRules: readonly CrossSettingRule[] = [
  {
    settings: ['ANNALS_ADVERTISED_URL', 'ANNALS_HOST'],
    holds: ({ http }) => http.advertisedUrl !== undefined || !allAddresses.includes(http.host),
    expected: 'the URL at which others reach this service, because ANNALS_HOST stands for all addresses',
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
  together(['ANNALS_REGISTRY_USERNAME', 'ANNALS_REGISTRY_PASSWORD'], ({ registry }) => [
    registry.username,
    registry.password,
  ]),
]
