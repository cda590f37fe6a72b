import { appendUnfenced, type KafkaCluster, LogError, type LogRecord, Topics, type TopicSpec } from '#kafka'

/** Where the trail writes its entries. */
export interface AuditSink {
  /** Resolves when all of them are durable. After an error, any of them may have been written. */
  write(records: readonly LogRecord[]): Promise<void>
}

/** The settings of the trail's topic. A `Config` fits. */
export interface AuditSettings {
  readonly access: { readonly auditTopic: string; readonly auditRetentionMs: number }
  readonly kafka: { readonly replication: number; readonly minInsyncReplicas: number }
}

/** All entries are written to this partition. One is enough, and it keeps their order. */
const auditPartition = 0

/** The topic of the trail: records expire by their time, nothing is compacted, and the broker compresses. */
const auditTopicSpec = ({ access, kafka }: AuditSettings): TopicSpec => ({
  name: access.auditTopic,
  partitions: 1,
  replication: kafka.replication,
  configs: {
    'cleanup.policy': 'delete',
    'retention.ms': String(access.auditRetentionMs),
    'retention.bytes': '-1',
    'compression.type': 'zstd',
    'min.insync.replicas': String(kafka.minInsyncReplicas),
  },
})

const tooLargeCodes: readonly unknown[] = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']

/** Whether the topic does not accept a batch of this size. */
export const isTooLarge = (error: unknown): boolean =>
  error instanceof LogError && tooLargeCodes.includes(error.kafkaCode)

/** The trail's topic in Kafka. It is created by the first write, and again if somebody deleted it. */
export class AuditTopic implements AuditSink {
  readonly #cluster: KafkaCluster
  readonly #spec: TopicSpec
  readonly #timeoutMs: number
  #isKnown = false

  constructor(cluster: KafkaCluster, settings: AuditSettings, timeoutMs = 10_000) {
    this.#cluster = cluster
    this.#spec = auditTopicSpec(settings)
    this.#timeoutMs = timeoutMs
  }

  /** @throws LogError */
  async write(records: readonly LogRecord[]): Promise<void> {
    try {
      if (!this.#isKnown) await new Topics(this.#cluster, this.#timeoutMs).createMissing(this.#spec)
      this.#isKnown = true
      const place = { topic: this.#spec.name, partition: auditPartition }
      await appendUnfenced(this.#cluster, place, records, this.#timeoutMs)
    } catch (error) {
      this.#isKnown = false
      throw error
    }
  }
}
