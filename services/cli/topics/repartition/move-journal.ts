import { FencedLog, type KafkaCluster, LogReader, repartitionJournal, topicConfigs, Topics } from '#kafka'

import type { MoveState } from './move-state.ts'

const partition = 0

/**
 * How far a move is, in a topic of its own. While that topic is there, services of the aggregate type do not start. Behind a fence: of two who
 * run the same move at once, the earlier one is refused at its next step.
 */
export class MoveJournal {
  readonly #cluster: KafkaCluster
  readonly #topic: string
  #log: FencedLog | undefined

  constructor(cluster: KafkaCluster, aggregateType: string) {
    this.#cluster = cluster
    this.#topic = repartitionJournal(aggregateType)
  }

  /** What was written last; undefined where no move is under way. @throws LogError */
  async read(): Promise<MoveState | undefined> {
    if (!(await this.exists())) return undefined
    let last: MoveState | undefined
    for await (const records of new LogReader(this.#cluster).read(this.#topic, partition, { from: 0 })) {
      for (const { value } of records) last = JSON.parse(String(value)) as MoveState
    }
    return last
  }

  /** @throws LogError */
  async exists(): Promise<boolean> {
    return (await new Topics(this.#cluster).describe([this.#topic])).length > 0
  }

  /** From now on no service of the type starts. @throws LogError */
  async create(replication: number): Promise<void> {
    const spec = { name: this.#topic, partitions: 1, replication, configs: topicConfigs.events }
    await new Topics(this.#cluster).ensure([spec])
  }

  /** @throws LogError `fenced` when somebody else runs the move now. */
  async write(state: MoveState): Promise<MoveState> {
    const log = this.#log ?? new FencedLog(this.#cluster, this.#topic, partition)
    if (this.#log === undefined) await log.takeOver()
    this.#log = log
    const record = { key: Buffer.from('move'), value: Buffer.from(JSON.stringify(state)), headers: [] }
    await log.append([{ ...record, timestampMs: Date.now() }])
    return state
  }

  /** The move is over. @throws LogError */
  async delete(): Promise<void> {
    this.#log?.close()
    this.#log = undefined
    await new Topics(this.#cluster).delete(this.#topic)
  }
}
