import { choice, count, duration, flag, group, list, optional, size, text } from './settings.ts'

export const snapshotter = group(
  'Snapshotter',
  'How snapshots are taken. Each aggregate defines how often (`snapshot: { every }`).',
  {
    groupId: text({
      env: 'ANNALS_SNAPSHOTTER_GROUP',
      default: 'annals-snapshotter',
      description: 'Consumer group that assigns partitions to snapshotters.',
    }),
    sessionTimeoutMs: duration({
      env: 'ANNALS_SNAPSHOTTER_SESSION_TIMEOUT',
      default: 8_000,
      minimum: 6_000,
      maximum: 300_000,
      description: 'How long a snapshotter may be silent before its partitions are reassigned.',
    }),
    loadsMax: count({
      env: 'ANNALS_SNAPSHOTTER_LOADS_MAX',
      default: 16,
      maximum: 1_000,
      description: 'Aggregates of one partition that are loaded concurrently.',
    }),
    statesBytesMax: size({
      env: 'ANNALS_SNAPSHOTTER_STATES_MEMORY',
      default: 128 << 20,
      minimum: 1 << 20,
      description:
        'Memory for states that a snapshotter far behind the end of the log folds from the events it reads.',
    }),
    writerUrls: list(
      {
        env: 'ANNALS_SNAPSHOTTER_WRITER_URLS',
        default: ['http://127.0.0.1:7400'],
        form: 'URLs of one or more writers, separated by commas',
        description:
          'Writers to load aggregates from; the others are discovered through them. The platform uses its own writer.',
      },
      '^https?://',
      1,
    ),
    cleanupIntervalMs: duration({
      env: 'ANNALS_SNAPSHOTTER_CLEANUP_INTERVAL',
      default: 24 * 3_600_000,
      minimum: 60_000,
      description: 'How often snapshots of obsolete state versions are removed from their topic.',
    }),
  },
)

export const projector = group('Projector', 'How projections run, and where their views are stored.', {
  groupId: text({
    env: 'ANNALS_PROJECTOR_GROUP',
    default: 'annals-projector',
    description: 'Consumer group that assigns partitions to projectors.',
  }),
  sessionTimeoutMs: duration({
    env: 'ANNALS_PROJECTOR_SESSION_TIMEOUT',
    default: 8_000,
    minimum: 6_000,
    maximum: 300_000,
    description: 'How long a projector may be silent before its partitions are reassigned.',
  }),
  batchEventsMax: count({
    env: 'ANNALS_PROJECTOR_BATCH_EVENTS_MAX',
    default: 1_000,
    maximum: 10_000,
    description: 'Events of one partition that are applied in one batch.',
  }),
  triesMax: count({
    env: 'ANNALS_PROJECTOR_TRIES_MAX',
    default: 5,
    maximum: 100,
    description:
      'How often an event that cannot be applied is tried before its partition stops or the event is parked.',
  }),
  afterTimeoutMs: duration({
    env: 'ANNALS_PROJECTOR_AFTER_TIMEOUT',
    default: 5_000,
    maximum: 300_000,
    description: 'Longest time that a read with `after` waits for its event to be applied.',
  }),
  waitersMax: count({
    env: 'ANNALS_PROJECTOR_WAITERS_MAX',
    default: 1_000,
    maximum: 100_000,
    description:
      'Reads with `after` that may wait in one process. Further ones are rejected with 503 and Retry-After.',
  }),
  changelog: flag({
    env: 'ANNALS_PROJECTOR_CHANGELOG',
    default: true,
    description:
      'Whether changes of views are written to `projections.<name>`; live subscriptions need them.',
  }),
  builtIn: list(
    {
      env: 'ANNALS_PROJECTOR_BUILT_IN',
      default: [],
      form: 'event-timeline, aggregate-statistics or both, separated by commas',
      description: 'Built-in projections over all aggregate types: `event-timeline`, `aggregate-statistics`.',
    },
    '^(event-timeline|aggregate-statistics)$',
  ),
  store: choice(['redis', 'postgres'], {
    env: 'ANNALS_PROJECTOR_STORE',
    default: 'redis',
    description: 'Where views are stored.',
  }),
  postgresUrl: optional(
    text(
      {
        env: 'ANNALS_PROJECTOR_POSTGRES_URL',
        secret: true,
        form: 'postgres://user:password@host:port/database',
        description:
          'PostgreSQL for the views if they are stored there: `postgres://user:password@host:port/database`. For TLS append `?sslmode=verify-full&sslrootcert=/path/ca.pem`.',
      },
      '^postgres(ql)?://',
    ),
  ),
})
