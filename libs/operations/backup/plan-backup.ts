import { deadLetterTopic, type DomainModule, eventTopic, repartitionJournal, restoreJournal } from '#domain'
import { type TopicDescription } from '#kafka'

import { aggregatesAsked } from '../aggregates-asked.ts'
import type { StoredBackup } from './backup-folder.ts'
import { BackupError } from './backup-error.ts'
import type { BackedUpTopic, Manifest } from './manifest.ts'
import type { OpenLog } from './open-log.ts'

/** The offsets to read of one partition. */
export interface PlannedRange {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly until: number
}

type PlannedTopic = Omit<BackedUpTopic, 'ranges'> & { readonly ranges: readonly PlannedRange[] }

export interface BackupPlan {
  readonly kind: Manifest['kind']
  readonly topics: readonly PlannedTopic[]
  /** Topics that the chain did not have before. */
  readonly added: readonly string[]
  /** Sentences for the operator. */
  readonly warnings: readonly string[]
}

interface NamedTopic {
  readonly name: string
  readonly role: BackedUpTopic['role']
}

/**
 * The topics that cannot be rebuilt from other topics.
 * @param types aggregate types; none means all of the domain.
 * @throws InvalidInputError for a type that the domain does not have.
 */
export function topicsAsked(domain: DomainModule, types: readonly string[]): readonly NamedTopic[] {
  const asked = aggregatesAsked(domain, types).map(({ type }) => type)
  const letters = domain.projections.filter(
    ({ onError, sources }) => onError === 'dead-letter' && sources.some((source) => asked.includes(source)),
  )
  return [
    ...asked.map((type) => ({ name: eventTopic(type), role: 'events' as const })),
    ...letters.map(({ name }) => ({ name: deadLetterTopic(name), role: 'dead letters' as const })),
  ]
}

/**
 * Plans what the next backup reads: everything, or what the chain does not contain yet, up to the current end of the log.
 * @param chain the chain to continue; empty to start a new one.
 * @throws BackupError if the log is no longer the one of the chain; LogError
 */
export async function planBackup(
  log: OpenLog,
  domain: DomainModule,
  types: readonly string[],
  chain: readonly StoredBackup[],
): Promise<BackupPlan> {
  const asked = topicsAsked(domain, types)
  checkCluster(log.cluster.clusterId, chain)
  await checkAtRest(log, domain, types)
  const found = await log.topics.describe(asked.map(({ name }) => name))
  if (found.length === 0) {
    throw new BackupError(
      'no-topics',
      `no topic of the domain (ANNALS_DOMAIN) exists at ${log.config.kafka.brokers.join(', ')}: nothing to back up`,
    )
  }
  const known = topicsOfChain(chain)
  const planned = await Promise.all(
    asked
      .map(({ name, role }) => ({ role, topic: found.find((each) => each.name === name) }))
      .filter(
        (each): each is { role: BackedUpTopic['role']; topic: TopicDescription } => each.topic !== undefined,
      )
      .map(({ role, topic }) => planTopic(log, topic, role, known.get(topic.name))),
  )
  return {
    kind: chain.length === 0 ? 'full' : 'incremental',
    topics: planned.map(({ topic }) => topic),
    added: planned.map(({ topic }) => topic.name).filter((name) => !known.has(name)),
    warnings: planned.flatMap(({ warnings }) => warnings),
  }
}

/** Each topic of a chain as of its last backup, where the next backup continues. */
export function topicsOfChain(chain: readonly StoredBackup[]): ReadonlyMap<string, BackedUpTopic> {
  return new Map(chain.flatMap(({ manifest }) => manifest.topics).map((topic) => [topic.name, topic]))
}

const startOver = 'Start a new chain with --full; existing chains are unchanged'

function checkCluster(clusterId: string, chain: readonly StoredBackup[]): void {
  const known = chain.at(-1)?.manifest.clusterId
  if (known === undefined || known === clusterId) return
  throw new BackupError(
    'other-cluster',
    `the backups in this folder come from cluster ${known}, this one is ${clusterId}: use another folder. Or, if this cluster replaces the other: ${startOver}`,
  )
}

/** A topic that is being filled by a move or a restore is not yet the log of its type. */
async function checkAtRest(
  { topics }: OpenLog,
  domain: DomainModule,
  types: readonly string[],
): Promise<void> {
  const asked = aggregatesAsked(domain, types).map(({ type }) => type)
  const journals = asked.flatMap((type) => [repartitionJournal(type), restoreJournal(type)])
  const [journal] = await topics.describe(journals)
  if (journal === undefined) return
  throw new BackupError(
    'topic-moved',
    `topic ${journal.name} exists: events are being moved or restored. Finish that first`,
  )
}

async function planTopic(
  log: OpenLog,
  { name, topicId, partitions, replication }: TopicDescription,
  role: BackedUpTopic['role'],
  known: BackedUpTopic | undefined,
): Promise<{ readonly topic: PlannedTopic; readonly warnings: readonly string[] }> {
  if (known !== undefined) checkSame(known, topicId, partitions)
  const settings = await log.topics.ownSettings(name)
  const places = Array.from({ length: partitions }, (_, partition) => partition)
  const planned = await Promise.all(
    places.map(async (partition) => {
      const [start, until] = await Promise.all([
        log.reader.startOffset(name, partition),
        log.reader.endOffset(name, partition),
      ])
      const done = known?.ranges.find((range) => range.partition === partition)?.until
      if (done !== undefined) checkContinuous(name, partition, done, start, until)
      const isCut = done === undefined && start > 0
      return {
        range: { topic: name, partition, from: done ?? start, until },
        warnings: isCut
          ? [
              `partition ${partition} of ${name} starts at offset ${start}: older events are lost, and new backups do not contain them`,
            ]
          : [],
      }
    }),
  )
  return {
    topic: {
      name,
      role,
      topicId,
      partitions,
      replication,
      settings,
      ranges: planned.map(({ range }) => range),
    },
    warnings: planned.flatMap(({ warnings }) => warnings),
  }
}

function checkSame(
  { name, topicId: knownId, partitions: knownCount }: BackedUpTopic,
  topicId: string,
  partitions: number,
): void {
  if (knownId !== topicId) {
    throw new BackupError(
      'other-topic',
      `${name} is not the topic that was backed up: it was recreated since (moved, restored, or deleted). ${startOver}`,
    )
  }
  if (knownCount !== partitions) {
    throw new BackupError(
      'other-topic',
      `${name} has ${partitions} partitions, but had ${knownCount} when it was backed up: streams are split between partitions. Fix that first. ${startOver}`,
    )
  }
}

function checkContinuous(topic: string, partition: number, done: number, start: number, end: number): void {
  const place = `partition ${partition} of ${topic}`
  if (start > done) {
    throw new BackupError(
      'events-deleted',
      `${place} starts at offset ${start} now, but was backed up to ${done} only: the events between were deleted. ${startOver}`,
    )
  }
  if (end < done) {
    throw new BackupError(
      'log-shorter',
      `${place} ends at offset ${end}, but was backed up to ${done} already: the log has lost its end. See \`annals verify\`; the backup contains the events. ${startOver}`,
    )
  }
}
