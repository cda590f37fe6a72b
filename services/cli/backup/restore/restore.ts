import { aggregateTypeOfTopic, restoreJournal } from '#domain'
import { type TopicDescription, type TopicSpec } from '#kafka'
import { inParallel } from '#service'

import { TopicJournal } from '../../topic-journal.ts'
import { awaitIdle } from '../../topics/repartition/idle-groups.ts'
import { BackupError } from '../backup-error.ts'
import type { OpenLog } from '../open-log.ts'
import type { RestorePlan, RestoreTopic } from './plan-restore.ts'
import { restorePartition } from './restore-partition.ts'
import { restoreSchemas } from './restore-schemas.ts'

export interface RestoreOptions {
  /** Copies of each partition, where it is not to be as many as there were. */
  readonly replication?: number
  /** Records, each once when written and once when compared. */
  readonly advance: (records: number) => void
  readonly signal: AbortSignal
  /** Told of what is waited for. */
  readonly tell: (text: string) => void
}

export interface Restored {
  /** Whether it went on with one that was interrupted. */
  readonly isResumed: boolean
  /** Schemas that have another id now. */
  readonly idsChanged: number
}

/** Of which backup; kept while a restore is under way, for each aggregate type. */
interface RestoreState {
  readonly backup: string
  readonly sha256: string
}

/** Partitions that are written at once. */
const parallel = 4

/** Writes a backup into a cluster that has none of its events. The same again after a crash goes on. */
export class Restore {
  readonly #log: OpenLog
  readonly #plan: RestorePlan
  readonly #options: RestoreOptions
  readonly #journals: ReadonlyMap<string, TopicJournal<RestoreState>>

  constructor(log: OpenLog, plan: RestorePlan, options: RestoreOptions) {
    this.#log = log
    this.#plan = plan
    this.#options = options
    this.#journals = new Map(
      plan.topics
        .filter(({ role }) => role === 'events')
        .map(({ name }) => {
          const journal = restoreJournal(aggregateTypeOfTopic(name))
          return [journal, new TopicJournal<RestoreState>(log.cluster, journal)]
        }),
    )
  }

  /**
   * Looks whether it can be done, and changes nothing.
   * @returns whether it would go on with one that was interrupted.
   * @throws BackupError `not-empty`, `other-restore`; MoveError `group-at-work`; LogError
   */
  async check(): Promise<boolean> {
    await awaitIdle(this.#log.cluster, this.#log.config, this.#options)
    const existing = await this.#log.topics.describe(this.#plan.topics.map(({ name }) => name))
    for (const topic of existing) this.#checkPartitions(topic)
    const states = await Promise.all([...this.#journals.values()].map((journal) => journal.read()))
    for (const state of states) this.#checkState(state)
    const begun = await this.#log.topics.describe([...this.#journals.keys()])
    if (begun.length > 0) return true
    await this.#checkEmpty(existing)
    return false
  }

  /** @throws what {@link check} throws; BackupError `copy-differs`, `damaged`; SchemaError; when the signal aborts. */
  async run(): Promise<Restored> {
    const isResumed = await this.check()
    try {
      await this.#begin()
      await this.#log.topics.ensure(this.#plan.topics.map((topic) => this.#spec(topic)))
      const ids = await restoreSchemas(this.#log.registry, this.#plan.schemas)
      await this.#restoreAll(ids)
      for (const journal of this.#journals.values()) await journal.delete()
      return { isResumed, idsChanged: [...ids].filter(([before, now]) => before !== now).length }
    } finally {
      for (const journal of this.#journals.values()) journal.close()
    }
  }

  /** From now on no service starts, and of two restores the earlier one stops. */
  async #begin(): Promise<void> {
    const { id: backup, sha256 } = this.#plan
    const [topic] = this.#plan.topics
    const { replication } = topic === undefined ? { replication: 1 } : this.#spec(topic)
    for (const journal of this.#journals.values()) {
      await journal.create(replication)
      await journal.write({ backup, sha256 })
    }
  }

  async #restoreAll(ids: ReadonlyMap<number, number>): Promise<void> {
    const { cluster, reader } = this.#log
    const { signal, advance } = this.#options
    const places = this.#plan.topics.flatMap((topic) =>
      topic.files.map((_, partition) => ({ topic, partition })),
    )
    const restored = ({ topic, partition }: (typeof places)[number], ending: AbortSignal) =>
      restorePartition(topic, partition, { cluster, reader, ids, advance }, ending)
    await inParallel(places, parallel, restored, signal)
  }

  #spec({ name, partitions, replication, settings }: RestoreTopic): TopicSpec {
    const copies = this.#options.replication ?? replication
    const insync = settings['min.insync.replicas']
    // With fewer copies than must have an event, none could be appended.
    const fitting = insync !== undefined && Number(insync) > copies
    return {
      ...{ name, partitions, replication: copies },
      configs: { ...settings, ...(fitting && { 'min.insync.replicas': String(copies) }) },
    }
  }

  #checkPartitions({ name, partitions }: TopicDescription): void {
    const expected = this.#plan.topics.find((topic) => topic.name === name)?.partitions
    if (expected === partitions) return
    throw new BackupError(
      'not-empty',
      `${name} is there already, with ${partitions} partitions instead of ${expected ?? 0}: delete it, if nobody needs it, and restore again`,
    )
  }

  #checkState(state: RestoreState | undefined): void {
    const { id, sha256 } = this.#plan
    if (state === undefined || (state.backup === id && state.sha256 === sha256)) return
    throw new BackupError(
      'other-restore',
      `a restore of ${state.backup} was begun here and is not done: go on with it (--at ${state.backup}), or delete the topics and their restore-journals first`,
    )
  }

  async #checkEmpty(topics: readonly TopicDescription[]): Promise<void> {
    const filled: string[] = []
    for (const { name, partitions } of topics) {
      for (let partition = 0; partition < partitions; partition++) {
        if (!(await this.#hasRecords(name, partition))) continue
        filled.push(name)
        break
      }
    }
    if (filled.length === 0) return
    throw new BackupError(
      'not-empty',
      `${filled.join(', ')} ${filled.length === 1 ? 'has' : 'have'} records already: a backup is restored into a cluster that has none of its events. Nothing was changed`,
    )
  }

  /** A topic that services have made and never appended to has markers only. */
  async #hasRecords(topic: string, partition: number): Promise<boolean> {
    const { reader } = this.#log
    const from = await reader.startOffset(topic, partition)
    for await (const records of reader.read(topic, partition, { from })) if (records.length > 0) return true
    return false
  }
}
