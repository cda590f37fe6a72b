import { type Static, Type } from '@sinclair/typebox'

import { projector, snapshotter } from './consumer-settings.ts'
import { choice, count, duration, flag, group, list, optional, size, text, url } from './settings.ts'
import { tracing } from './tracing-settings.ts'

const http = group('HTTP', 'Where a service listens.', {
  host: text({
    env: 'ANNALS_HOST',
    default: '127.0.0.1',
    description:
      'Address to listen on. Other machines reach the service only if this is not a loopback address.',
  }),
  port: count({
    env: 'ANNALS_PORT',
    default: 7400,
    minimum: 0,
    maximum: 65_535,
    description: 'Port to listen on; 0 picks a free one.',
  }),
  advertisedUrl: optional(
    url({
      env: 'ANNALS_ADVERTISED_URL',
      protocols: ['http:', 'https:'],
      defaultText: 'http://{host}:{port}',
      description: 'URL at which other writers and clients reach this service.',
    }),
  ),
  bodyBytesMax: size({
    env: 'ANNALS_BODY_BYTES_MAX',
    default: 8 * 1_048_576,
    description: 'Limit of a request body. Larger ones are rejected.',
  }),
  bodiesBytesMax: size({
    env: 'ANNALS_BODIES_BYTES_MAX',
    default: 128 * 1_048_576,
    description:
      'Limit of all request bodies that are arriving or being processed. Beyond it, the request that has been arriving for the longest time gets 503.',
  }),
  requestsMax: count({
    env: 'ANNALS_REQUESTS_MAX',
    default: 500,
    description:
      'Changes that one service processes at a time. Further requests are rejected with 503 and Retry-After.',
  }),
  subscribersMax: count({
    env: 'ANNALS_SUBSCRIBERS_MAX',
    default: 1_000,
    maximum: 100_000,
    description:
      'Live subscriptions (of categories and projections) that one process serves at a time. Further ones are rejected with 503 and Retry-After.',
  }),
  subscribersBytesMax: size({
    env: 'ANNALS_SUBSCRIBERS_BYTES_MAX',
    default: 64 * 1_048_576,
    minimum: 1_048_576,
    description:
      'Memory for decoded events shared by the subscribers of categories, and the same amount for changes of views.',
  }),
  unreadBytesMax: size({
    env: 'ANNALS_UNREAD_BYTES_MAX',
    default: 64 * 1_048_576,
    minimum: 1_048_576,
    description:
      'Bytes that may wait in one process for slow readers. Beyond it, the connection that has waited for the longest time is closed.',
  }),
  requestTimeoutMs: duration({
    env: 'ANNALS_REQUEST_TIMEOUT',
    default: 10_000,
    minimum: 1_000,
    description: 'Time for a request to arrive completely, headers and body.',
  }),
  connectionsMax: count({
    env: 'ANNALS_CONNECTIONS_MAX',
    default: 10_000,
    description: 'Connections that one service holds at a time. Further ones get 503.',
  }),
  connectionsPerAddressMax: count({
    env: 'ANNALS_CONNECTIONS_PER_ADDRESS_MAX',
    default: 1_000,
    description:
      'Connections from one remote address. Further ones get 429. Loopback addresses are not counted.',
  }),
  allowedHosts: list(
    {
      env: 'ANNALS_ALLOWED_HOSTS',
      default: [],
      defaultText: 'none',
      form: 'host names, each with or without a port, separated by commas',
      description:
        'Host names of the service in addition to localhost, IP addresses and the host of ANNALS_ADVERTISED_URL. Requests for other hosts are rejected.',
    },
    '^[^\\s:/?#@,]+(:\\d{1,5})?$',
  ),
})

const kafka = group('Kafka', 'How to reach the cluster, and how topics are created.', {
  brokers: list(
    {
      env: 'ANNALS_KAFKA_BROKERS',
      default: ['127.0.0.1:9092'],
      form: 'host:port of one or more brokers, separated by commas',
      description: 'Bootstrap brokers; the others are discovered through them.',
    },
    '^(\\[[0-9a-fA-F:]+\\]|[^:\\s\\[\\]/]+):\\d{1,5}$',
    1,
  ),
  clientId: text({
    env: 'ANNALS_KAFKA_CLIENT_ID',
    default: 'annals',
    description: 'Client id that appears in the logs and quotas of the brokers.',
  }),
  ssl: group('', '', {
    enabled: flag({ env: 'ANNALS_KAFKA_SSL', default: false, description: 'Connect with TLS.' }),
    caFile: optional(
      text({
        env: 'ANNALS_KAFKA_SSL_CA_FILE',
        defaultText: 'the authorities built into Node.js',
        description: "Certificates of the authorities that sign the brokers' certificates (PEM).",
      }),
    ),
    certFile: optional(
      text({
        env: 'ANNALS_KAFKA_SSL_CERT_FILE',
        description: 'Client certificate (PEM); needs its key.',
      }),
    ),
    keyFile: optional(
      text({ env: 'ANNALS_KAFKA_SSL_KEY_FILE', description: 'Key of the client certificate (PEM).' }),
    ),
  }),
  sasl: group('', '', {
    mechanism: optional(
      choice(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'], {
        env: 'ANNALS_KAFKA_SASL_MECHANISM',
        description: 'SASL mechanism. Without it, the client does not authenticate.',
      }),
    ),
    username: optional(text({ env: 'ANNALS_KAFKA_SASL_USERNAME', description: 'User to log in as.' })),
    password: optional(
      text({ env: 'ANNALS_KAFKA_SASL_PASSWORD', secret: true, description: 'Password of that user.' }),
    ),
  }),
  partitions: count({
    env: 'ANNALS_KAFKA_PARTITIONS',
    default: 8,
    maximum: 10_000,
    description: 'Partitions of a topic that Annals creates. They cannot be changed later.',
  }),
  partitionsByType: list(
    {
      env: 'ANNALS_KAFKA_PARTITIONS_BY_TYPE',
      default: [],
      form: 'aggregate types with their partitions, separated by commas, e.g. order=32,customer=16',
      description:
        'Partitions per aggregate type where they differ from ANNALS_KAFKA_PARTITIONS: `order=32,customer=16`.',
    },
    '^[a-z][a-z0-9-]{0,99}=[1-9][0-9]{0,3}$',
  ),
  replication: count({
    env: 'ANNALS_KAFKA_REPLICATION',
    default: 1,
    maximum: 100,
    description: 'Replicas of each partition of a topic that Annals creates; use 3 in production.',
  }),
  minInsyncReplicas: count({
    env: 'ANNALS_KAFKA_MIN_INSYNC',
    default: 1,
    maximum: 100,
    description: 'Replicas that must have an event before it is acknowledged; use 2 in production.',
  }),
  messageBytesMax: size({
    env: 'ANNALS_KAFKA_MESSAGE_BYTES_MAX',
    default: 1_048_576,
    description: 'Largest record batch that the topics accept (`max.message.bytes`).',
  }),
  requestTimeoutMs: duration({
    env: 'ANNALS_KAFKA_REQUEST_TIMEOUT',
    default: 10_000,
    description: "How long to wait for a broker's response before the connection is closed.",
  }),
  connectTimeoutMs: duration({
    env: 'ANNALS_KAFKA_CONNECT_TIMEOUT',
    default: 5_000,
    description: 'How long connecting to a broker may take.',
  }),
})

const redis = group('Redis', 'Where the index is.', {
  url: text(
    {
      env: 'ANNALS_REDIS_URL',
      default: 'redis://127.0.0.1:6380',
      form: 'redis://host:port or rediss://host:port; for a cluster, some of its nodes, separated by commas',
      description:
        'Redis, with user and password if it needs them. For a cluster, some of its nodes, separated by commas.',
    },
    '^rediss?://[^\\s,]+(,rediss?://[^\\s,]+)*$',
  ),
  keyPrefix: text(
    {
      env: 'ANNALS_REDIS_KEY_PREFIX',
      default: 'annals',
      form: 'letters, digits and _ . : -',
      description: 'Prefix of every key, so that installations can share a Redis.',
    },
    '^[\\w.:-]+$',
  ),
  cluster: choice(['auto', 'true', 'false'], {
    env: 'ANNALS_REDIS_CLUSTER',
    default: 'auto',
    description: 'Whether Redis is a cluster; `auto`: it is when the URL names more than one node.',
  }),
  commandTimeoutMs: duration({
    env: 'ANNALS_REDIS_COMMAND_TIMEOUT',
    default: 2_000,
    description: 'How long one command may take.',
  }),
})

const registry = group('Schema registry', 'Where the schemas of events are registered.', {
  url: url({
    env: 'ANNALS_REGISTRY_URL',
    default: 'http://127.0.0.1:8081/apis/ccompat/v7',
    protocols: ['http:', 'https:'],
    description: 'Base URL of a registry that implements the Confluent API.',
  }),
  username: optional(text({ env: 'ANNALS_REGISTRY_USERNAME', description: 'User to log in as.' })),
  password: optional(
    text({ env: 'ANNALS_REGISTRY_PASSWORD', secret: true, description: 'Password of that user.' }),
  ),
  idFile: optional(
    text({
      env: 'ANNALS_REGISTRY_ID_FILE',
      description:
        'File that keeps the ids of schemas, so that a service can start while the registry is down.',
    }),
  ),
  timeoutMs: duration({
    env: 'ANNALS_REGISTRY_TIMEOUT',
    default: 5_000,
    description: 'How long one request may take.',
  }),
})

const domain = group('Domain', 'Your domain model. Paths are relative to the working directory.', {
  modules: list({
    env: 'ANNALS_DOMAIN',
    default: [],
    form: 'paths of ES modules, separated by commas',
    description: 'Domain modules, separated by commas, e.g. `examples/customers/domain.ts`.',
  }),
  schemaFolders: list(
    {
      env: 'ANNALS_SCHEMAS',
      default: ['schemas'],
      form: 'paths of folders, separated by commas',
      description: 'Folders with Avro schemas, separated by commas.',
    },
    '.',
    1,
  ),
})

const writer = group(
  'Writer',
  'Limits and timeouts of appending. Everything is bounded; beyond a bound, requests are rejected at once.',
  {
    groupId: text({
      env: 'ANNALS_WRITER_GROUP',
      default: 'annals-writer',
      description: 'Consumer group that assigns partitions to writers.',
    }),
    sessionTimeoutMs: duration({
      env: 'ANNALS_WRITER_SESSION_TIMEOUT',
      default: 8_000,
      minimum: 6_000,
      maximum: 300_000,
      description: 'How long a writer may be silent before its partitions are reassigned.',
    }),
    queueEventsMax: count({
      env: 'ANNALS_WRITER_QUEUE_EVENTS_MAX',
      default: 10_000,
      description: 'Events that may wait for one partition.',
    }),
    batchEventsMax: count({
      env: 'ANNALS_WRITER_BATCH_EVENTS_MAX',
      default: 1_000,
      description: 'Events in one record batch.',
    }),
    batchBytesMax: size({
      env: 'ANNALS_WRITER_BATCH_BYTES_MAX',
      default: 900 * 1_024,
      description: 'Bytes of the events in one record batch, before compression.',
    }),
    appendEventsMax: count({
      env: 'ANNALS_WRITER_APPEND_EVENTS_MAX',
      default: 1_000,
      description: 'Events in one append.',
    }),
    appendBytesMax: size({
      env: 'ANNALS_WRITER_APPEND_BYTES_MAX',
      default: 512 * 1_024,
      description: 'Bytes of the events in one append, as encoded in the log.',
    }),
    eventTypes: choice(['evolved', 'any'], {
      env: 'ANNALS_WRITER_EVENT_TYPES',
      default: 'evolved',
      description:
        'Event types that may be appended: those that the aggregate of the domain module evolves, or `any` type that has a schema. Use `any` while other services append events that this domain module does not know yet.',
    }),
    appendTimeoutMs: duration({
      env: 'ANNALS_WRITER_APPEND_TIMEOUT',
      default: 30_000,
      description: 'How long an append is retried before its outcome is reported as unknown.',
    }),
    readTimeoutMs: duration({
      env: 'ANNALS_WRITER_READ_TIMEOUT',
      default: 10_000,
      description: 'How long a read waits for a partition that is catching up.',
    }),
    readsMax: count({
      env: 'ANNALS_WRITER_READS_MAX',
      default: 1_000,
      description:
        'Reads of streams that may wait in one writer, while 128 are in progress. The same limit applies to reads of states (4 at a time) and of pages of categories (4 at a time). Further ones are rejected with 503 and Retry-After.',
    }),
    routingTimeoutMs: duration({
      env: 'ANNALS_WRITER_ROUTING_TIMEOUT',
      default: 5_000,
      description: 'How long a request waits for a partition that is moving from one writer to another.',
    }),
    fenceRenewalMs: duration({
      env: 'ANNALS_WRITER_FENCE_RENEWAL',
      default: 3_600_000,
      minimum: 60_000,
      maximum: 12 * 3_600_000,
      description: 'How often an owner renews its fence. Brokers forget an idle producer after a day.',
    }),
  },
)

const index = group('Index', 'What Redis keeps of each partition in addition to versions and offsets.', {
  rememberedIdsMax: count({
    env: 'ANNALS_INDEX_REMEMBERED_IDS_MAX',
    default: 300_000,
    description: 'Latest events of each partition whose ids are remembered: the idempotency window.',
  }),
  tailEventsMax: count({
    env: 'ANNALS_INDEX_TAIL_EVENTS_MAX',
    default: 20,
    maximum: 1_000,
    description: 'Latest events of each stream kept for loading.',
  }),
  tailTtlMs: duration({
    env: 'ANNALS_INDEX_TAIL_TTL',
    default: 86_400_000,
    minimum: 1_000,
    description:
      'How long recent events and snapshots are kept after the last write. Older events are read from the log.',
  }),
})

const log = group('Log', 'Log lines go to standard output.', {
  level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    env: 'ANNALS_LOG_LEVEL',
    default: 'info',
    description: 'Lowest level that is logged.',
  }),
  pretty: choice(['auto', 'true', 'false'], {
    env: 'ANNALS_LOG_PRETTY',
    default: 'auto',
    description: 'Readable lines instead of JSON; `auto`: when standard output is a terminal.',
  }),
})

/**
 * All settings of all services: names, types, units, defaults and bounds. The type of the configuration is derived
 * from it.
 */
export const configSchema = Type.Object({
  http,
  kafka,
  redis,
  registry,
  domain,
  writer,
  index,
  snapshotter,
  projector,
  log,
  tracing,
})

export type ConfigValues = Static<typeof configSchema>
