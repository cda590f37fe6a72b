import { choice, count, duration, flag, group, list, optional, size, text } from './settings.ts'

export const kafka = group('Kafka', 'How to reach the cluster, and how topics are created.', {
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
