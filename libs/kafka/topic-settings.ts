export interface TopicDescription {
  readonly name: string
  /** Another one than before means another topic under the same name. */
  readonly topicId: string
  readonly partitions: number
  /** Copies of each partition. */
  readonly replication: number
  readonly configs: Readonly<Record<string, string>>
}

/** Events are kept for ever; of snapshots, views and the like only the last record by key is. */
export type TopicKind = 'events' | 'compacted' | 'dead-letters'

/** Settings to make a topic of each kind with. */
export const topicConfigs: Readonly<Record<TopicKind, Readonly<Record<string, string>>>> = {
  events: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
  compacted: { 'cleanup.policy': 'compact' },
  'dead-letters': { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
}

/** A setting that endangers a promise. */
export interface Finding {
  /** `topic eventstore.order` or `broker 1`. */
  readonly subject: string
  readonly setting: string
  readonly actual: string
  readonly recommended: string
  readonly why: string
}

interface Rule {
  readonly setting: string
  readonly recommended: string
  readonly why: string
  readonly holds: (actual: string) => boolean
}

const exactly = (setting: string, recommended: string, why: string): Rule => ({
  setting,
  recommended,
  why,
  holds: (actual) => actual === recommended,
})

const atLeast = (setting: string, least: number, why: string): Rule => ({
  setting,
  recommended: `at least ${least}`,
  why,
  holds: (actual) => Number(actual) >= least,
})

const keepsAll = 'events must never be deleted: they are the truth'
const cleanLeaders = exactly(
  'unclean.leader.election.enable',
  'false',
  'a leader that missed appends would drop acknowledged events',
)
const createTime = exactly(
  'message.timestamp.type',
  'CreateTime',
  'an event carries the time at which the writer accepted it',
)

const rules: Readonly<Record<TopicKind, readonly Rule[]>> = {
  events: [
    exactly('cleanup.policy', 'delete', keepsAll),
    exactly('retention.ms', '-1', keepsAll),
    exactly('retention.bytes', '-1', keepsAll),
    cleanLeaders,
    createTime,
  ],
  compacted: [exactly('cleanup.policy', 'compact', 'the last record of each key must be kept for ever')],
  'dead-letters': [
    exactly('cleanup.policy', 'delete', 'compaction would drop events that share a key'),
    exactly('retention.ms', '-1', 'an event that waits to be retried must not be lost'),
  ],
}

const hourMs = 3_600_000

/** Owners renew their fence hourly; what a broker remembers of them must outlive some missed renewals. */
const brokerRules: readonly Rule[] = [
  atLeast(
    'transactional.id.expiration.ms',
    24 * hourMs,
    'a coordinator must not forget an owner between renewals',
  ),
  atLeast('producer.id.expiration.ms', 4 * hourMs, 'a leader must not forget an owner between renewals'),
]

function broken(
  subject: string,
  configs: Readonly<Record<string, string>>,
  checks: readonly Rule[],
): Finding[] {
  return checks.flatMap(({ setting, recommended, why, holds }) => {
    const actual = configs[setting] ?? 'unset'
    return holds(actual) ? [] : [{ subject, setting, actual, recommended, why }]
  })
}

/** What is wrong with a topic. @param brokers how many there are: copies can only be asked for where there is room. */
export function topicFindings(topic: TopicDescription, kind: TopicKind, brokers: number): Finding[] {
  const configs = { ...topic.configs, 'replication.factor': String(topic.replication) }
  const copies = [
    atLeast('replication.factor', Math.min(3, brokers), 'a broker lost for good must not take events along'),
    atLeast(
      'min.insync.replicas',
      Math.min(2, brokers),
      'an acknowledged event must be on more than one broker',
    ),
  ]
  return broken(`topic ${topic.name}`, configs, [...copies, ...rules[kind]])
}

/** What is wrong with a broker's settings. */
export const brokerFindings = (id: number, configs: Readonly<Record<string, string>>): Finding[] =>
  broken(`broker ${id}`, configs, brokerRules)
