import { deadLetterTopic, type DomainModule, eventTopic, repartitionJournal, restoreJournal } from '#domain'
import { type TopicDescription } from '#kafka'

import { aggregatesAsked } from '../aggregates-asked.ts'
import type { StoredBackup } from './backup-folder.ts'
import { BackupError } from './backup-error.ts'
import type { BackedUpTopic, Manifest } from './manifest.ts'
import type { OpenLog } from './open-log.ts'

/** What is to be read of one partition. */
export interface PlannedRange {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly until: number
}

export type PlannedTopic = Omit<BackedUpTopic, 'ranges'> & { readonly ranges: readonly PlannedRange[] }

export interface BackupPlan {
  readonly kind: Manifest['kind']
  readonly topics: readonly PlannedTopic[]
  /** Topics that the chain did not have before. */
  readonly added: readonly string[]
  /** What a person should know, in sentences. */
  readonly warnings: readonly string[]
}

interface NamedTopic {
  readonly name: string
  readonly role: BackedUpTopic['role']
}

/**
 * The topics of an installation that cannot be made anew from others.
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
 * What a further backup is to read: everything, or what the chain does not have yet, up to the end of the log as it is now.
 * @param chain that is continued; an empty one is begun.
 * @throws BackupError where the log is not the one of the chain any more; LogError
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
      `the domain (ANNALS_DOMAIN) has no topic at ${log.config.kafka.brokers.join(', ')}: there is nothing to back up`,
    )
  }
  const known = knownTopics(chain)
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

/** Each topic of a chain as it was when it was backed up last: where the next backup of it goes on. */
export function knownTopics(chain: readonly StoredBackup[]): ReadonlyMap<string, BackedUpTopic> {
  return new Map(chain.flatMap(({ manifest }) => manifest.topics).map((topic) => [topic.name, topic]))
}

const beginAnew = 'Begin a new chain with --full; the chains there are stay as they are'

function checkCluster(clusterId: string, chain: readonly StoredBackup[]): void {
  const known = chain.at(-1)?.manifest.clusterId
  if (known === undefined || known === clusterId) return
  throw new BackupError(
    'other-cluster',
    `the backups in this folder are of cluster ${known}, this one is ${clusterId}: take a folder of its own for it. Or, if it replaces the other: ${beginAnew}`,
  )
}

/** A topic that is being filled is not the log of its type. */
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
    `there is a topic ${journal.name}: events are being moved or restored, and not all of them are in their place. Finish that first`,
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
              `partition ${partition} of ${name} begins at offset ${start}: older events are gone, and in no new backup`,
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
      `${name} is not the topic that was backed up: it was made anew since (moved, restored, or deleted). ${beginAnew}`,
    )
  }
  if (knownCount !== partitions) {
    throw new BackupError(
      'other-topic',
      `${name} has ${partitions} partitions, and had ${knownCount} when it was backed up: streams are in two of them now. Mend that, then: ${beginAnew}`,
    )
  }
}

function checkContinuous(topic: string, partition: number, done: number, start: number, end: number): void {
  const place = `partition ${partition} of ${topic}`
  if (start > done) {
    throw new BackupError(
      'events-deleted',
      `${place} begins at offset ${start} now, but was backed up to ${done} only: what was between was deleted. ${beginAnew}`,
    )
  }
  if (end < done) {
    throw new BackupError(
      'log-shorter',
      `${place} ends at offset ${end}, but was backed up to ${done} already: the log has lost its end. See \`annals verify\`; the events are in the backup. ${beginAnew}`,
    )
  }
}
