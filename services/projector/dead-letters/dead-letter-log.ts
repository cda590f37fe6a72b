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
  /** Partitions of each topic of dead letters. */
  readonly partitions: number
  /** Time-out of writing one letter; default 30,000. */
  readonly timeoutMs?: number
  readonly logger: Logger
}

/** An event that could not be applied. */
interface FailedEvent {
  readonly set: ViewSet
  readonly position: Position
  /** The reason, for people. */
  readonly error: string
}

const errorLengthMax = 2_000
/** Upper bound of the bytes of the headers that a letter has in addition to those of its event. */
const addedBytesMax = 16 << 10

/**
 * Copies events that could not be applied to the topics `deadletters.<projection>`, for people and tools. The view store
 * keeps which events are parked and retried. A letter has the key, value, headers and time of its record, and headers
 * that describe the failure. After a crash or a time-out a letter may be written twice.
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
   * Resolves when the letter is in the topic. A letter that the topic can never accept is logged instead: it is only a
   * copy, and must not stop its partition.
   * @throws LogError if it could not be read or written in time; `not-there` if there is no record at the position.
   */
  async add(failed: FailedEvent): Promise<void> {
    const { topic, partition, offset } = failed.position
    const [record] = await this.#reader.fetchAt(topic, partition, [offset])
    if (record === undefined) throw new Error(`no record was read at ${formatPosition(failed.position)}`)
    const target = this.#target(deadLetterTopic(failed.set.projection.name), partition % this.#partitions)
    try {
      await target.append(letterOf(record, failed), this.#timeoutMs)
    } catch (error) {
      if (!(error instanceof LogError) || error.outcome !== 'refused') throw error
      this.#logger.error(
        { err: error, position: formatPosition(failed.position) },
        'a dead letter could not be copied to its topic',
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
 * The topics of dead letters, for the projections that park events.
 * @param kafka settings of topics. These topics accept the largest record plus the headers of a letter.
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
