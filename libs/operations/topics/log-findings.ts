import type { Config } from '#config'
import { aggregateTypeOfTopic, type DomainModule, eventTopic } from '#domain'
import { type KafkaCluster, LogReader, servingEpochMax, type TopicDescription } from '#kafka'
import type { RedisConnection } from '#redis-index'

import { partitionIndex } from '../partition-index.ts'
import { foreignCopies } from './foreign-copies.ts'
import type { LogFinding } from './log-finding.ts'

interface LogFindingsParts {
  readonly cluster: KafkaCluster
  /** Undefined if Redis does not answer; checks that need it are skipped. */
  readonly redis: RedisConnection | undefined
  readonly config: Config
  readonly domain: DomainModule
  /** Existing topics of all kinds. */
  readonly topics: readonly TopicDescription[]
}

/** Offsets at the end of each partition that are searched for strays. */
const recentOffsets = 5_000
/** A warning is due when this share of a producer id's epochs is used. */
const epochsShare = 0.75
const failover = 'docs/operations/failover.md'

/**
 * Inspects the logs: deleted heads, recreated topics, stray records, epochs that run out.
 * @throws LogError; IndexUnavailableError if Redis becomes unavailable meanwhile.
 */
export async function logFindings(parts: LogFindingsParts): Promise<readonly LogFinding[]> {
  const reader = new LogReader(parts.cluster)
  const findings: LogFinding[] = []
  for (const topic of parts.topics) {
    const isOfEvents = parts.domain.aggregates.some(({ type }) => eventTopic(type) === topic.name)
    for (let partition = 0; partition < topic.partitions; partition++) {
      findings.push(...(await epochFindings(reader, topic, partition)))
      if (!isOfEvents) continue
      findings.push(...(await headFindings(parts, reader, topic, partition)))
      findings.push(...(await strayFindings(reader, topic, partition)))
    }
  }
  const { redis } = parts
  return redis === undefined ? findings : [...findings, ...(await foreignCopies({ ...parts, redis }))]
}

async function headFindings(
  { config, redis }: LogFindingsParts,
  reader: LogReader,
  { name, topicId }: TopicDescription,
  partition: number,
): Promise<LogFinding[]> {
  const start = await reader.startOffset(name, partition)
  if (start === 0) return []
  const aggregateType = aggregateTypeOfTopic(name)
  const index = redis && partitionIndex(config, redis, { topic: name, partition, aggregateType })
  if (index !== undefined && (await index.acceptedStart(topicId)) >= start) return []
  return [
    {
      status: 'fail',
      subject: `topic ${name}`,
      setting: `first offset of partition ${partition}`,
      actual: String(start),
      recommended: '0',
      why: 'the events before it were deleted, so the index cannot be rebuilt',
      remedy:
        `Stop what deletes them (retention.ms, retention.bytes), then restore a backup of ${aggregateType}, or accept the loss: ` +
        `./annals index rebuild ${aggregateType} --accept-deleted-events --yes (${failover})`,
    },
  ]
}

async function strayFindings(
  reader: LogReader,
  { name }: TopicDescription,
  partition: number,
): Promise<LogFinding[]> {
  const [start, until] = await Promise.all([
    reader.startOffset(name, partition),
    reader.endOffset(name, partition),
  ])
  const from = Math.max(start, until - recentOffsets)
  let records = 0
  let last = 0
  for await (const { strays } of reader.readPieces(name, partition, { from, until })) {
    for (const { firstOffset, lastOffset } of strays) {
      records += lastOffset - firstOffset + 1
      last = lastOffset
    }
  }
  if (records === 0) return []
  return [
    {
      status: 'warn',
      subject: `topic ${name}`,
      setting: `stray records among the last ${until - from} of partition ${partition}`,
      actual: `${records}, the last at offset ${last}`,
      recommended: 'none',
      why: 'a producer that did not own the partition wrote them. They are not events, and nothing serves them',
      remedy:
        'Allow only the writers to write to the topic; `./annals verify` lists them, docs/operations/verify.md explains them',
    },
  ]
}

async function epochFindings(
  reader: LogReader,
  { name }: TopicDescription,
  partition: number,
): Promise<LogFinding[]> {
  const term = await reader.lastTerm(name, partition)
  if (term === undefined || term.epoch < servingEpochMax * epochsShare) return []
  return [
    {
      status: 'warn',
      subject: `topic ${name}`,
      setting: `epochs used of partition ${partition}`,
      actual: String(term.epoch),
      recommended: `less than ${Math.floor(servingEpochMax * epochsShare)} of ${servingEpochMax}`,
      why: 'it was taken over that often. When the epochs end, Kafka assigns another producer id, and owners continue with that',
      remedy: `See the logs of the services for what ends its terms (took over ${name}/${partition})`,
    },
  ]
}
