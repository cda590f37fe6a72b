import { type Config } from '#config'
import { type Finding, type KafkaCluster, type TopicDescription, Topics } from '#kafka'
import type { Connections } from '#service'

import { clusterOf, type NamedCluster } from '../named-cluster.ts'
import { type KnownTopic, knownTopics } from './known-topics.ts'
import type { LogFinding } from './log-finding.ts'
import { logFindings } from './log-findings.ts'

/** A topic as found in the cluster. */
export interface InspectedTopic extends KnownTopic {
  /** Undefined if it does not exist. */
  readonly found?: Pick<TopicDescription, 'partitions' | 'replication'> & {
    /** On the disks of all brokers, including copies. */
    readonly bytes: number
  }
  /** Differences from the recommended or configured settings, and findings in the log. */
  readonly findings: readonly Finding[]
}

export interface TopicsInspection {
  readonly cluster: NamedCluster
  readonly topics: readonly InspectedTopic[]
  /** Findings in the settings of brokers. */
  readonly brokers: readonly Finding[]
}

/** Inspects all topics of the domain, and the brokers. @throws LogError */
export async function inspectTopics(
  config: Config,
  { domain, cluster, redis }: Connections,
): Promise<TopicsInspection> {
  const known = knownTopics(domain, config)
  const topics = new Topics(cluster)
  const described = await topics.describe(known.map(({ name }) => name))
  const present = known.filter(({ name }) => described.some((topic) => topic.name === name))
  const findings = await topics.checkSettings(present)
  const ofLogs = await logFindings({ cluster, redis, config, domain, topics: described })
  const bytes = await sizes(cluster, described)
  const inspected = known.map<InspectedTopic>((topic) => {
    const found = described.find(({ name }) => name === topic.name)
    if (found === undefined) return { ...topic, findings: [] }
    const { partitions, replication } = found
    const unsafe = [...findings, ...ofLogs.map(withRemedy)].filter(
      ({ subject }) => subject === `topic ${topic.name}`,
    )
    return {
      ...topic,
      found: { partitions, replication, bytes: bytes.get(topic.name) ?? 0 },
      findings: [...unsafe, ...countFindings(topic, partitions)],
    }
  })
  return {
    cluster: clusterOf(cluster, config),
    topics: inspected,
    brokers: findings.filter(({ subject }) => subject.startsWith('broker ')),
  }
}

/** Joins reason and remedy, for findings that have one text. */
const withRemedy = ({ why, remedy, subject, setting, actual, recommended }: LogFinding): Finding => ({
  ...{ subject, setting, actual, recommended },
  why: `${why}. ${remedy}`,
})

const sizes = (
  cluster: KafkaCluster,
  described: readonly TopicDescription[],
): Promise<Map<string, number>> =>
  described.length === 0 ? Promise.resolve(new Map<string, number>()) : new Topics(cluster).bytes(described)

/** A service does not start if its configuration has another number of partitions. */
function countFindings({ name, partitions }: KnownTopic, actual: number): Finding[] {
  if (actual === partitions) return []
  return [
    {
      subject: `topic ${name}`,
      setting: 'partitions',
      actual: String(actual),
      recommended: String(partitions),
      why: 'services with this configuration do not start: set ANNALS_KAFKA_PARTITIONS or ANNALS_KAFKA_PARTITIONS_BY_TYPE to the actual number, or change it with `topics repartition`',
    },
  ]
}
