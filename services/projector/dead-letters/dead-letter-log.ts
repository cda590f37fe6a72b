import type { Logger } from 'pino'

import type { Config } from '#config'
import { deadLetterTopic, formatPosition, partitionKey, type Position, type Projection } from '#domain'
import {
  FencedLog,
  type KafkaCluster,
  LogError,
  type LogReader,
  type LogRecord,
  type StoredRecord,
  topicConfigs,
  type TopicSpec,
} from '#kafka'
import type { ViewSet } from '#projections'

import { SharedPartition } from './shared-partition.ts'

interface DeadLetterLogOptions {
  readonly cluster: KafkaCluster
  readonly reader: Pick<LogReader, 'fetchAt'>
  /** Of each topic of dead letters. */
  readonly partitions: number
  /** How long writing one letter is tried; default 30,000. */
  readonly timeoutMs?: number
  readonly logger: Logger
}

/** An event that could not be applied. */
interface FailedEvent {
  readonly set: ViewSet
  readonly position: Position
  /** Why; for people. */
  readonly error: string
}

const errorLengthMax = 2_000
/** More than the headers take that a letter has beside those of its event. */
const addedBytesMax = 16 << 10

/**
 * Copies events that could not be applied to the topics `deadletters.<projection>`, for people and tools; what is set aside, and what was
 * retried since, the store of views knows. A letter has key, value, headers and time of its record, whatever that holds,
 * and headers that say what happened. After a crash or a time-out the same letter may come twice.
 */
export class DeadLetterLog {
  readonly #cluster: KafkaCluster
  readonly #reader: Pick<LogReader, 'fetchAt'>
  readonly #partitions: number
  readonly #timeoutMs: number
  readonly #logger: Logger
  readonly #targets = new Map<string, SharedPartition>()

  constructor({ cluster, reader, partitions, timeoutMs = 30_000, logger }: DeadLetterLogOptions) {
    this.#cluster = cluster
    this.#reader = reader
    this.#partitions = partitions
    this.#timeoutMs = timeoutMs
    this.#logger = logger
  }

  /**
   * Comes back once the letter is in the topic. One that the topic will never take is logged instead: it is a copy, and
   * its partition must not stand still for it.
   * @throws LogError when it could not be read or written in time; `not-there` when there is no record at the position.
   */
  async add(failed: FailedEvent): Promise<void> {
    const { topic, partition, offset } = failed.position
    const [record] = await this.#reader.fetchAt(topic, partition, [offset])
    if (record === undefined) throw new Error(`reading ${formatPosition(failed.position)} brought no record`)
    const target = this.#target(deadLetterTopic(failed.set.projection.name), partition % this.#partitions)
    try {
      await target.append(letterOf(record, failed), this.#timeoutMs)
    } catch (error) {
      if (!(error instanceof LogError) || error.outcome !== 'refused') throw error
      this.#logger.error(
        { err: error, position: formatPosition(failed.position) },
        'a dead letter has no copy in its topic',
      )
    }
  }

  #target(topic: string, partition: number): SharedPartition {
    const key = partitionKey({ topic, partition })
    const openLog = (options: { readonly takeOverTimeoutMs: number }) =>
      new FencedLog(this.#cluster, topic, partition, options)
    const target = this.#targets.get(key) ?? new SharedPartition({ name: key, openLog })
    this.#targets.set(key, target)
    return target
  }
}

const letterOf = (
  { key, value, headers, timestampMs }: StoredRecord,
  { set, position, error }: FailedEvent,
): LogRecord => ({
  key,
  value,
  timestampMs,
  headers: [
    ...headers,
    ['annals_error', error.slice(0, errorLengthMax)],
    ['annals_source', formatPosition(position)],
    ['annals_projection', set.projection.name],
    ['annals_generation', set.generation],
    ['annals_failed_at', new Date().toISOString()],
  ],
})

/**
 * The topics of dead letters: of the projections that set events aside, and no others.
 * @param kafka how topics are made. What its largest record takes with a letter's own headers, the topics take too.
 */
export const deadLetterTopicSpecs = (
  projections: readonly Pick<Projection, 'name' | 'onError'>[],
  kafka: Pick<Config['kafka'], 'partitions' | 'replication' | 'minInsyncReplicas' | 'messageBytesMax'>,
): readonly TopicSpec[] =>
  projections
    .filter(({ onError }) => onError === 'dead-letter')
    .map(({ name }) => ({
      name: deadLetterTopic(name),
      partitions: kafka.partitions,
      replication: kafka.replication,
      configs: {
        ...topicConfigs['dead-letters'],
        'min.insync.replicas': String(kafka.minInsyncReplicas),
        'max.message.bytes': String(kafka.messageBytesMax + addedBytesMax),
      },
    }))
