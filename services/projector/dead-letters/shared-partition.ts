import { defaultRetryPolicy, withRetry } from '#domain'
import { FencedLog, type KafkaCluster, LogError, type LogRecord } from '#kafka'

/**
 * A partition that several instances append to. Each takes it over when it first has something to write, and again when
 * another one has taken it over meanwhile: the fence keeps them apart, and nobody owns it for long.
 */
export class SharedPartition {
  readonly #cluster: KafkaCluster
  readonly #topic: string
  readonly #partition: number
  #log: FencedLog | undefined
  /** The append before: a log takes one at a time. */
  #before: Promise<unknown> = Promise.resolve()

  constructor(cluster: KafkaCluster, topic: string, partition: number) {
    this.#cluster = cluster
    this.#topic = topic
    this.#partition = partition
  }

  /** @throws LogError when the record is not known to be in the log in time; it may be there all the same. */
  append(record: LogRecord, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    const attempt = (): Promise<void> => this.#try(record, deadline)
    const appended = this.#before.then(() => withRetry(defaultRetryPolicy, isOvertaken, attempt))
    this.#before = appended.catch(() => undefined)
    return appended
  }

  async #try(record: LogRecord, deadline: number): Promise<void> {
    try {
      this.#log ??= await this.#takeOver(deadline)
      await this.#log.append([record], this.#leftMs(deadline))
    } catch (error) {
      // Whatever went wrong, a fresh log starts from what the broker knows.
      this.#log = undefined
      throw error
    }
  }

  async #takeOver(deadline: number): Promise<FencedLog> {
    const takeOverTimeoutMs = this.#leftMs(deadline)
    const log = new FencedLog(this.#cluster, this.#topic, this.#partition, { takeOverTimeoutMs })
    await log.takeOver()
    return log
  }

  #leftMs(deadline: number): number {
    const leftMs = deadline - performance.now()
    if (leftMs > 0) return leftMs
    throw new LogError(
      'unavailable',
      `append to ${this.#topic}/${this.#partition} had no turn in time; try again later`,
    )
  }
}

/** Whether another owner came between, or the broker lost track of this one: then a new term may succeed. */
const isOvertaken = (error: unknown): boolean =>
  error instanceof LogError && (error.outcome === 'fenced' || error.outcome === 'take-over')
