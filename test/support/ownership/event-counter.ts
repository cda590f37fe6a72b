import type { Logger } from 'pino'

import type { TopicPartition } from '#domain'
import type { WaitingPartition } from '#event-log'
import { FencedLog, type KafkaCluster, LogReader } from '#kafka'
import { type OwnedPartition, PartitionGroup, type TermContext, TermLoop, type TermWork } from '#ownership'

interface CounterOptions {
  readonly cluster: KafkaCluster
  readonly groupId: string
  /** The topic whose records are counted, partition by partition. */
  readonly topic: string
  /** The topic of the counts, with as many partitions. */
  readonly countsTopic: string
  readonly advertisedUrl: string
  readonly logger: Logger
}

/** The number of a partition's records before an offset. */
interface Count {
  readonly records: number
  readonly nextOffset: number
}

interface Term {
  readonly log: FencedLog
  count: Count
}

const none: Count = { records: 0, nextOffset: 0 }

/** A complete service on #ownership. It counts the records of each partition exactly once, even if instances fail. */
export class EventCounter {
  readonly group: PartitionGroup<PartitionCounter>

  constructor(options: CounterOptions) {
    this.group = new PartitionGroup({
      ...options,
      member: 'counter',
      topics: [options.topic],
      sessionTimeoutMs: 6_000,
      open: (place) => new PartitionCounter(options, place),
    })
  }

  start(): Promise<void> {
    return this.group.start()
  }

  stop(): Promise<void> {
    return this.group.stop()
  }
}

/** Counts one owned partition. The fence of the topic of counts keeps a former owner from adding to the count. */
class PartitionCounter implements OwnedPartition, TermWork<Term> {
  readonly #options: CounterOptions
  readonly #place: TopicPartition
  readonly #reader: LogReader
  readonly #loop: TermLoop<Term>

  constructor(options: CounterOptions, place: TopicPartition) {
    this.#options = options
    this.#place = place
    this.#reader = new LogReader(options.cluster)
    this.#loop = new TermLoop({ place, work: this, logger: options.logger })
  }

  get isServing(): boolean {
    return this.#loop.isServing
  }

  get waiting(): WaitingPartition | undefined {
    return this.#loop.waiting
  }

  start(): void {
    this.#loop.start()
  }

  stop(): Promise<void> {
    return this.#loop.stop()
  }

  async prepare(): Promise<void> {
    await this.#options.cluster.topic(this.#options.countsTopic)
  }

  async takeOver(): Promise<Term> {
    const { cluster, countsTopic } = this.#options
    const log = new FencedLog(cluster, countsTopic, this.#place.partition)
    await log.takeOver()
    return { log, count: none }
  }

  async catchUp(term: Term): Promise<void> {
    term.count = await lastCount(this.#reader, this.#options.countsTopic, this.#place.partition)
  }

  async serve(term: Term, { signal, serving }: TermContext): Promise<void> {
    serving()
    const { topic, partition } = this.#place
    const pieces = this.#reader.follow(topic, partition, term.count.nextOffset, signal)
    for await (const { records, nextOffset } of pieces) {
      if (records.length === 0) continue
      const count = { records: term.count.records + records.length, nextOffset }
      const value = Buffer.from(JSON.stringify(count))
      await term.log.append([{ key: Buffer.from(topic), value, headers: [], timestampMs: Date.now() }])
      term.count = count
    }
  }

  end({ log }: Term): void {
    log.close()
  }
}

/** The last count of a partition in the topic of counts. */
export async function lastCount(reader: LogReader, countsTopic: string, partition: number): Promise<Count> {
  let last = none
  const from = await reader.startOffset(countsTopic, partition)
  for await (const records of reader.read(countsTopic, partition, { from })) {
    const value = records.at(-1)?.value
    if (value) last = JSON.parse(value.toString()) as Count
  }
  return last
}
