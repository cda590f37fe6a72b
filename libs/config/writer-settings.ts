import { choice, count, duration, group, size, text } from './settings.ts'

export const writer = group(
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
    streamsBytesMax: size({
      env: 'ANNALS_WRITER_STREAMS_MEMORY',
      default: 64 << 20,
      description:
        'Memory of one writer for the last events of recently used streams. Others are read from the log.',
    }),
    idsBytesMax: size({
      env: 'ANNALS_WRITER_IDS_MEMORY',
      default: 256 << 20,
      description:
        'Memory of one writer for remembered event ids: 39 bytes each. When it is used up, partitions remember fewer ids.',
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

export const index = group(
  'Index',
  'What Redis keeps of each partition in addition to versions and offsets.',
  {
    rememberedIdsMax: count({
      env: 'ANNALS_INDEX_REMEMBERED_IDS_MAX',
      default: 300_000,
      description: 'Latest events of each partition whose ids are remembered: the idempotency window.',
    }),
    snapshotTtlMs: duration({
      env: 'ANNALS_INDEX_SNAPSHOT_TTL',
      default: 86_400_000,
      minimum: 1_000,
      description:
        'How long a snapshot is kept in Redis after it was stored. The topic of snapshots keeps all of them.',
    }),
  },
)
