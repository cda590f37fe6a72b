import { inParallel } from '#async'
import { aggregateTypeOfTopic, restoreJournal } from '#domain'
import { type TopicDescription, type TopicSpec } from '#kafka'

import type { NoticeListener } from '../../job-control.ts'
import { TopicJournal } from '../../topic-journal.ts'
import { awaitIdle } from '../../topics/repartition/idle-groups.ts'
import { BackupError } from '../backup-error.ts'
import type { OpenLog } from '../open-log.ts'
import type { RestorePlan, RestoreTopic } from './plan-restore.ts'
import { restorePartition } from './restore-partition.ts'
import { restoreSchemas } from './restore-schemas.ts'

interface RestoreOptions {
  /** Copies of each partition; default: as many as in the backup. */
  readonly replication?: number
  /** Receives the number of records, once when written and once when compared. */
  readonly advance: (records: number) => void
  readonly signal: AbortSignal
  readonly notify: NoticeListener
}

export interface Restored {
  /** Whether it resumed an interrupted restore. */
  readonly isResumed: boolean
  /** Number of schemas that have a new id. */
  readonly idsChanged: number
}

/** Identifies the backup. It is stored for each aggregate type while a restore is in progress. */
interface RestoreState {
  readonly backup: string
  readonly sha256: string
}

/** Partitions that are written at the same time. */
const parallel = 4

/** Writes a backup into a cluster that has none of its events. The same call resumes after a crash. */
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
   * Checks whether the restore can run, and changes nothing.
   * @returns whether it would resume an interrupted restore.
   * @throws BackupError `not-empty`, `other-restore`; OperationError `group-at-work`; LogError
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
    const { signal } = this.#options
    const isResumed = await this.check()
    signal.throwIfAborted()
    try {
      await this.#begin()
      signal.throwIfAborted()
      await this.#log.topics.ensure(this.#plan.topics.map((topic) => this.#spec(topic)))
      signal.throwIfAborted()
      const ids = await restoreSchemas(this.#log.registry, this.#plan.schemas)
      await this.#restoreAll(ids)
      for (const journal of this.#journals.values()) await journal.delete()
      return { isResumed, idsChanged: [...ids].filter(([before, now]) => before !== now).length }
    } finally {
      for (const journal of this.#journals.values()) journal.close()
    }
  }

  /** After this no service starts, and an earlier concurrent restore stops. */
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
    // With fewer copies than min.insync.replicas nothing could be appended.
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
      `${name} already exists with ${partitions} partitions instead of ${expected ?? 0}: delete it if you do not need it, and restore again`,
    )
  }

  #checkState(state: RestoreState | undefined): void {
    const { id, sha256 } = this.#plan
    if (state === undefined || (state.backup === id && state.sha256 === sha256)) return
    throw new BackupError(
      'other-restore',
      `a restore of ${state.backup} was started here and is not done: resume it (--at ${state.backup}), or delete the topics and their restore-journals first`,
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
      `${filled.join(', ')} already ${filled.length === 1 ? 'contains' : 'contain'} records: restore into a cluster that contains none of the events. Nothing was changed`,
    )
  }

  /** A topic to which no event was appended can contain markers. */
  async #hasRecords(topic: string, partition: number): Promise<boolean> {
    const { reader } = this.#log
    const from = await reader.startOffset(topic, partition)
    for await (const records of reader.read(topic, partition, { from })) if (records.length > 0) return true
    return false
  }
}
