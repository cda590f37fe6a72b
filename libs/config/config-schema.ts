import { type Static, Type } from '@sinclair/typebox'

import { projector, snapshotter } from './consumer-settings.ts'
import { choice, count, duration, flag, group, list, optional, size, text, url } from './settings.ts'
import { tracing } from './tracing-settings.ts'

const http = group('HTTP', 'Where a service listens.', {
  host: text({
    env: 'ANNALS_HOST',
    default: '127.0.0.1',
    description: 'Address to listen on. Others reach the service only where it is not a loopback address.',
  }),
  port: count({
    env: 'ANNALS_PORT',
    default: 7400,
    minimum: 0,
    maximum: 65_535,
    description: 'Port to listen on; 0 takes a free one.',
  }),
  advertisedUrl: optional(
    url({
      env: 'ANNALS_ADVERTISED_URL',
      protocols: ['http:', 'https:'],
      defaultText: 'http://{host}:{port}',
      description: 'Where other writers and clients reach this one.',
    }),
  ),
  bodyBytesMax: size({
    env: 'ANNALS_BODY_BYTES_MAX',
    default: 8 * 1_048_576,
    description: 'Larger request bodies are refused.',
  }),
  bodiesBytesMax: size({
    env: 'ANNALS_BODIES_BYTES_MAX',
    default: 128 * 1_048_576,
    description:
      'Bytes of all request bodies that are arriving or being worked on; past it the one that arrives for longest gets 503.',
  }),
  requestsMax: count({
    env: 'ANNALS_REQUESTS_MAX',
    default: 500,
    description:
      'Changes that one service works on at a time; callers of more are told at once to come again.',
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
      'Memory for decoded events that subscribers of categories share, and the same again for changes of views.',
  }),
  unreadBytesMax: size({
    env: 'ANNALS_UNREAD_BYTES_MAX',
    default: 64 * 1_048_576,
    minimum: 1_048_576,
    description:
      'What may wait in one process for clients that read slowly. Beyond it the connection that has waited for longest is ended.',
  }),
  requestTimeoutMs: duration({
    env: 'ANNALS_REQUEST_TIMEOUT',
    default: 10_000,
    minimum: 1_000,
    description: 'How long a request may take to arrive whole, headers and body.',
  }),
  connectionsMax: count({
    env: 'ANNALS_CONNECTIONS_MAX',
    default: 10_000,
    description: 'Connections that one service holds at a time; further ones get 503.',
  }),
  connectionsPerAddressMax: count({
    env: 'ANNALS_CONNECTIONS_PER_ADDRESS_MAX',
    default: 1_000,
    description:
      'Connections of one remote address; further ones get 429. Loopback addresses are not counted.',
  }),
  allowedHosts: list(
    {
      env: 'ANNALS_ALLOWED_HOSTS',
      default: [],
      defaultText: 'none',
      form: 'host names, with a port or without, separated by commas',
      description:
        'Names by which the service is reached, besides localhost, IP addresses and the host of ANNALS_ADVERTISED_URL. Requests for other hosts are refused.',
    },
    '^[^\\s:/?#@,]+(:\\d{1,5})?$',
  ),
})

const kafka = group('Kafka', 'How the cluster is reached, and how topics are made.', {
  brokers: list(
    {
      env: 'ANNALS_KAFKA_BROKERS',
      default: ['127.0.0.1:9092'],
      form: 'host:port of one broker or more, separated by commas',
      description: 'Brokers to begin with; the rest is learned from them.',
    },
    '^(\\[[0-9a-fA-F:]+\\]|[^:\\s\\[\\]/]+):\\d{1,5}$',
    1,
  ),
  clientId: text({
    env: 'ANNALS_KAFKA_CLIENT_ID',
    default: 'annals',
    description: "Shown in the brokers' logs and quotas.",
  }),
  ssl: group('', '', {
    enabled: flag({ env: 'ANNALS_KAFKA_SSL', default: false, description: 'Connect by TLS.' }),
    caFile: optional(
      text({
        env: 'ANNALS_KAFKA_SSL_CA_FILE',
        defaultText: 'the authorities that Node.js knows',
        description: "Certificates of the authorities that sign the brokers' certificates (PEM).",
      }),
    ),
    certFile: optional(
      text({
        env: 'ANNALS_KAFKA_SSL_CERT_FILE',
        description: 'Certificate to show to the brokers (PEM); with its key.',
      }),
    ),
    keyFile: optional(
      text({ env: 'ANNALS_KAFKA_SSL_KEY_FILE', description: 'Key of that certificate (PEM).' }),
    ),
  }),
  sasl: group('', '', {
    mechanism: optional(
      choice(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'], {
        env: 'ANNALS_KAFKA_SASL_MECHANISM',
        description: 'How to log in; not at all where it is not given.',
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
    description: 'Partitions of a topic that Annals makes; fixed for its life.',
  }),
  partitionsByType: list(
    {
      env: 'ANNALS_KAFKA_PARTITIONS_BY_TYPE',
      default: [],
      form: 'aggregate types with their partitions, separated by commas, e.g. order=32,customer=16',
      description:
        'Partitions of the topics of single aggregate types, where they are others: `order=32,customer=16`.',
    },
    '^[a-z][a-z0-9-]{0,99}=[1-9][0-9]{0,3}$',
  ),
  replication: count({
    env: 'ANNALS_KAFKA_REPLICATION',
    default: 1,
    maximum: 100,
    description: 'Replicas of each partition of a topic that Annals makes; 3 in production.',
  }),
  minInsyncReplicas: count({
    env: 'ANNALS_KAFKA_MIN_INSYNC',
    default: 1,
    maximum: 100,
    description: 'Replicas that must have an event before it is acknowledged; 2 in production.',
  }),
  messageBytesMax: size({
    env: 'ANNALS_KAFKA_MESSAGE_BYTES_MAX',
    default: 1_048_576,
    description: 'The largest record batch that the topics take (`max.message.bytes`).',
  }),
  requestTimeoutMs: duration({
    env: 'ANNALS_KAFKA_REQUEST_TIMEOUT',
    default: 10_000,
    description: 'How long a broker may leave one request unanswered before the connection is given up.',
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
      form: 'redis://host:port or rediss://host:port; of a cluster some of its nodes, separated by commas',
      description:
        'Redis, with user and password where it wants them; of a cluster some of its nodes, separated by commas.',
    },
    '^rediss?://[^\\s,]+(,rediss?://[^\\s,]+)*$',
  ),
  keyPrefix: text(
    {
      env: 'ANNALS_REDIS_KEY_PREFIX',
      default: 'annals',
      form: 'letters, digits and _ . : -',
      description: 'Begins every key, so that installations can share a Redis.',
    },
    '^[\\w.:-]+$',
  ),
  cluster: choice(['auto', 'true', 'false'], {
    env: 'ANNALS_REDIS_CLUSTER',
    default: 'auto',
    description: 'Whether it is a Redis Cluster; `auto`: where the URL names more than one node.',
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
    description: 'Base of a registry that speaks the Confluent API.',
  }),
  username: optional(text({ env: 'ANNALS_REGISTRY_USERNAME', description: 'User to log in as.' })),
  password: optional(
    text({ env: 'ANNALS_REGISTRY_PASSWORD', secret: true, description: 'Password of that user.' }),
  ),
  idFile: optional(
    text({
      env: 'ANNALS_REGISTRY_ID_FILE',
      description:
        'Where the ids of schemas are kept, so that a service can start while the registry is down.',
    }),
  ),
  timeoutMs: duration({
    env: 'ANNALS_REGISTRY_TIMEOUT',
    default: 5_000,
    description: 'How long one request may take.',
  }),
})

const domain = group(
  'Domain',
  'What the services know of your domain. Paths count from the working directory.',
  {
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
  },
)

const writer = group(
  'Writer',
  'Limits and times of appending. Everything is bounded; beyond a bound callers get a prompt refusal.',
  {
    groupId: text({
      env: 'ANNALS_WRITER_GROUP',
      default: 'annals-writer',
      description: 'Consumer group by which writers share out partitions.',
    }),
    sessionTimeoutMs: duration({
      env: 'ANNALS_WRITER_SESSION_TIMEOUT',
      default: 8_000,
      minimum: 6_000,
      maximum: 300_000,
      description: 'How long a writer may be silent before its partitions go to others.',
    }),
    queueEventsMax: count({
      env: 'ANNALS_WRITER_QUEUE_EVENTS_MAX',
      default: 10_000,
      description: 'Events that may wait for each partition.',
    }),
    batchEventsMax: count({
      env: 'ANNALS_WRITER_BATCH_EVENTS_MAX',
      default: 1_000,
      description: 'Events of one record batch.',
    }),
    batchBytesMax: size({
      env: 'ANNALS_WRITER_BATCH_BYTES_MAX',
      default: 900 * 1_024,
      description: 'Bytes of the events of one record batch, before compression.',
    }),
    appendEventsMax: count({
      env: 'ANNALS_WRITER_APPEND_EVENTS_MAX',
      default: 1_000,
      description: 'Events of one append.',
    }),
    appendBytesMax: size({
      env: 'ANNALS_WRITER_APPEND_BYTES_MAX',
      default: 512 * 1_024,
      description: 'Bytes of the events of one append, as they stand in the log.',
    }),
    eventTypes: choice(['evolved', 'any'], {
      env: 'ANNALS_WRITER_EVENT_TYPES',
      default: 'evolved',
      description:
        "Event types that may be appended: those that the domain module's aggregate evolves, or `any` that has a schema, while services know events that this domain module does not.",
    }),
    appendTimeoutMs: duration({
      env: 'ANNALS_WRITER_APPEND_TIMEOUT',
      default: 30_000,
      description: 'How long an append is tried before its outcome counts as unknown.',
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
        'Reads of streams that may wait in one writer, while 128 are worked on; the same again of states (4 at a time) and of pages of categories (4). Further ones are rejected with 503 and Retry-After.',
    }),
    routingTimeoutMs: duration({
      env: 'ANNALS_WRITER_ROUTING_TIMEOUT',
      default: 5_000,
      description: 'How long a request waits for a partition that moves from one writer to another.',
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

const index = group('Index', 'What Redis keeps of each partition beside versions and offsets.', {
  rememberedIdsMax: count({
    env: 'ANNALS_INDEX_REMEMBERED_IDS_MAX',
    default: 300_000,
    description: 'Latest events of each partition whose ids are remembered: the window of idempotency.',
  }),
  tailEventsMax: count({
    env: 'ANNALS_INDEX_TAIL_EVENTS_MAX',
    default: 20,
    maximum: 1_000,
    description: 'Latest events of each stream that are kept for loading.',
  }),
  tailTtlMs: duration({
    env: 'ANNALS_INDEX_TAIL_TTL',
    default: 86_400_000,
    minimum: 1_000,
    description: 'How long they and snapshots stay after the last write. Older ones are read from the log.',
  }),
})

const log = group('Log', 'Log lines go to standard output.', {
  level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    env: 'ANNALS_LOG_LEVEL',
    default: 'info',
    description: 'The least level that is logged.',
  }),
  pretty: choice(['auto', 'true', 'false'], {
    env: 'ANNALS_LOG_PRETTY',
    default: 'auto',
    description: 'Lines for people instead of JSON; `auto`: on a terminal.',
  }),
})

/** All settings of all services: names, types, units, defaults and bounds. Its static type is the configuration's. */
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
