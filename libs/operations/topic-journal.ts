import { FencedLog, type KafkaCluster, LogReader, topicConfigs, Topics } from '#kafka'

const partition = 0

/**
 * Stores the progress of long work on a topic in a separate topic. While that topic exists, services of the aggregate type do not start.
 * It is fenced: if two processes do the same work, the earlier one fails at its next step.
 */
export class TopicJournal<State extends object> {
  readonly #cluster: KafkaCluster
  readonly #topic: string
  #log: FencedLog | undefined

  constructor(cluster: KafkaCluster, topic: string) {
    this.#cluster = cluster
    this.#topic = topic
  }

  /** The last state; undefined if no work is in progress. @throws LogError */
  async read(): Promise<State | undefined> {
    if (!(await this.exists())) return undefined
    let last: State | undefined
    for await (const records of new LogReader(this.#cluster).read(this.#topic, partition, { from: 0 })) {
      for (const { value } of records) last = JSON.parse(String(value)) as State
    }
    return last
  }

  /** @throws LogError */
  async exists(): Promise<boolean> {
    return (await new Topics(this.#cluster).describe([this.#topic])).length > 0
  }

  /** Creates the journal: from now on no service of the type starts. @throws LogError */
  async create(replication: number): Promise<void> {
    const spec = { name: this.#topic, partitions: 1, replication, configs: topicConfigs.events }
    await new Topics(this.#cluster).ensure([spec])
  }

  /** @throws LogError `fenced` if another process has taken over the work. */
  async write(state: State): Promise<State> {
    const log = this.#log ?? new FencedLog(this.#cluster, this.#topic, partition)
    if (this.#log === undefined) await log.takeOver()
    this.#log = log
    const record = { key: Buffer.from('state'), value: Buffer.from(JSON.stringify(state)), headers: [] }
    await log.append([{ ...record, timestampMs: Date.now() }])
    return state
  }

  /** Deletes the journal when the work is done. @throws LogError */
  async delete(): Promise<void> {
    this.close()
    await new Topics(this.#cluster).delete(this.#topic)
  }

  close(): void {
    this.#log?.close()
    this.#log = undefined
  }
}
