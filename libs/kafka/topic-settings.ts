export interface TopicDescription {
  readonly name: string
  /** A different id than before means a different topic under the same name. */
  readonly topicId: string
  readonly partitions: number
  /** Copies of each partition. */
  readonly replication: number
  readonly configs: Readonly<Record<string, string>>
}

/** Events and dead letters are kept forever. A compacted topic (snapshots, views) keeps the last record of each key. */
export type TopicKind = 'events' | 'compacted' | 'dead-letters'

/** The settings with which a topic of each kind is created. */
export const topicConfigs: Readonly<Record<TopicKind, Readonly<Record<string, string>>>> = {
  events: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
  compacted: { 'cleanup.policy': 'compact' },
  'dead-letters': { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
}

/** A setting that endangers a promise. */
export interface SettingFinding {
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
  compacted: [exactly('cleanup.policy', 'compact', 'the last record of each key must be kept forever')],
  'dead-letters': [
    exactly('cleanup.policy', 'delete', 'compaction would drop events that share a key'),
    exactly('retention.ms', '-1', 'an event that waits to be retried must not be lost'),
  ],
}

const hourMs = 3_600_000

/** Owners renew their fence hourly. A broker's memory of them must outlive some missed renewals. */
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
): SettingFinding[] {
  return checks.flatMap(({ setting, recommended, why, holds }) => {
    const actual = configs[setting] ?? 'unset'
    return holds(actual) ? [] : [{ subject, setting, actual, recommended, why }]
  })
}

/** The settings of a topic that endanger a promise. @param brokers their number, which limits how many copies are recommended. */
export function topicFindings(topic: TopicDescription, kind: TopicKind, brokers: number): SettingFinding[] {
  const configs = { ...topic.configs, 'replication.factor': String(topic.replication) }
  const copies = [
    atLeast(
      'replication.factor',
      Math.min(3, brokers),
      'the permanent loss of a broker must not lose events',
    ),
    atLeast(
      'min.insync.replicas',
      Math.min(2, brokers),
      'an acknowledged event must be on more than one broker',
    ),
  ]
  return broken(`topic ${topic.name}`, configs, [...copies, ...rules[kind]])
}

/** The settings of a broker that endanger a promise. */
export const brokerFindings = (id: number, configs: Readonly<Record<string, string>>): SettingFinding[] =>
  broken(`broker ${id}`, configs, brokerRules)
