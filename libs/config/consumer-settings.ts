import { choice, count, duration, flag, group, list, optional, text } from './settings.ts'

export const snapshotter = group(
  'Snapshotter',
  'How snapshots are taken. How often, each aggregate says itself (`snapshot: { every }`).',
  {
    groupId: text({
      env: 'ANNALS_SNAPSHOTTER_GROUP',
      default: 'annals-snapshotter',
      description: 'Consumer group by which snapshotters share out partitions.',
    }),
    sessionTimeoutMs: duration({
      env: 'ANNALS_SNAPSHOTTER_SESSION_TIMEOUT',
      default: 8_000,
      minimum: 6_000,
      maximum: 300_000,
      description: 'How long a snapshotter may be silent before its partitions go to others.',
    }),
    loadsMax: count({
      env: 'ANNALS_SNAPSHOTTER_LOADS_MAX',
      default: 16,
      maximum: 1_000,
      description: 'Aggregates of one partition that are loaded at once.',
    }),
    writerUrls: list(
      {
        env: 'ANNALS_SNAPSHOTTER_WRITER_URLS',
        default: ['http://127.0.0.1:7400'],
        form: 'URLs of one writer or more, separated by commas',
        description:
          'Writers to load aggregates from; the others are learned from them. The platform asks its own.',
      },
      '^https?://',
      1,
    ),
    cleanupIntervalMs: duration({
      env: 'ANNALS_SNAPSHOTTER_CLEANUP_INTERVAL',
      default: 24 * 3_600_000,
      minimum: 60_000,
      description: 'How often snapshots of state versions that no longer count are taken out of their topic.',
    }),
  },
)

export const projector = group('Projector', 'How projections are made, and where their views are kept.', {
  groupId: text({
    env: 'ANNALS_PROJECTOR_GROUP',
    default: 'annals-projector',
    description: 'Consumer group by which projectors share out partitions.',
  }),
  sessionTimeoutMs: duration({
    env: 'ANNALS_PROJECTOR_SESSION_TIMEOUT',
    default: 8_000,
    minimum: 6_000,
    maximum: 300_000,
    description: 'How long a projector may be silent before its partitions go to others.',
  }),
  batchEventsMax: count({
    env: 'ANNALS_PROJECTOR_BATCH_EVENTS_MAX',
    default: 1_000,
    maximum: 10_000,
    description: 'Events of one partition that are applied in one step.',
  }),
  triesMax: count({
    env: 'ANNALS_PROJECTOR_TRIES_MAX',
    default: 5,
    maximum: 100,
    description:
      'How often an event that cannot be applied is tried before its partition stops, or it is set aside.',
  }),
  afterTimeoutMs: duration({
    env: 'ANNALS_PROJECTOR_AFTER_TIMEOUT',
    default: 5_000,
    maximum: 300_000,
    description: 'How long a read with `after` waits at most for its event to be applied.',
  }),
  waitersMax: count({
    env: 'ANNALS_PROJECTOR_WAITERS_MAX',
    default: 1_000,
    maximum: 100_000,
    description:
      'Reads with `after` that may wait for their event in one process. Further ones are rejected with 503 and Retry-After.',
  }),
  changelog: flag({
    env: 'ANNALS_PROJECTOR_CHANGELOG',
    default: true,
    description: 'Whether changes of views go to `projections.<name>`; live subscriptions need it.',
  }),
  builtIn: list(
    {
      env: 'ANNALS_PROJECTOR_BUILT_IN',
      default: [],
      form: 'event-timeline, aggregate-statistics or both, separated by commas',
      description:
        'Projections over all aggregate types that Annals brings along: `event-timeline`, `aggregate-statistics`.',
    },
    '^(event-timeline|aggregate-statistics)$',
  ),
  store: choice(['redis', 'postgres'], {
    env: 'ANNALS_PROJECTOR_STORE',
    default: 'redis',
    description: 'Where views are kept.',
  }),
  postgresUrl: optional(
    text(
      {
        env: 'ANNALS_PROJECTOR_POSTGRES_URL',
        secret: true,
        form: 'postgres://user:password@host:port/database',
        description: 'PostgreSQL, where views are kept there: `postgres://user:password@host:port/database`.',
      },
      '^postgres(ql)?://',
    ),
  ),
})
