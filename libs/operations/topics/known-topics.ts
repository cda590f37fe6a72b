import type { Config } from '#config'
import { deadLetterTopic, type DomainModule, eventTopic, projectionTopic, snapshotTopic } from '#domain'
import { type TopicKind } from '#kafka'
import { partitionsOf } from '#service'

/** The purpose of a topic. */
type TopicRole = 'events' | 'snapshots' | 'changelog' | 'dead letters'

/** A topic that an installation has, or that its services will create. */
export interface KnownTopic {
  readonly name: string
  readonly role: TopicRole
  readonly kind: TopicKind
  /** The configured number. */
  readonly partitions: number
}

/** All topics of a domain. */
export function knownTopics(
  { aggregates, projections }: DomainModule,
  config: Config,
): readonly KnownTopic[] {
  const { kafka, projector } = config
  const ofType = (type: string) => ({ partitions: partitionsOf(type, kafka) })
  const { partitions } = kafka
  return [
    ...aggregates.map(({ type }) => ({ name: eventTopic(type), ...events, ...ofType(type) })),
    ...aggregates
      .filter(({ snapshot }) => snapshot.schema !== undefined)
      .map(({ type }) => ({ name: snapshotTopic(type), ...snapshots, ...ofType(type) })),
    ...(projector.changelog ? projections : []).map(({ name }) => ({
      ...{ name: projectionTopic(name), partitions },
      ...changelog,
    })),
    ...projections
      .filter(({ onError }) => onError === 'dead-letter')
      .map(({ name }) => ({ name: deadLetterTopic(name), ...deadLetters, partitions })),
  ]
}

const events = { role: 'events', kind: 'events' } as const
const snapshots = { role: 'snapshots', kind: 'compacted' } as const
const changelog = { role: 'changelog', kind: 'compacted' } as const
const deadLetters = { role: 'dead letters', kind: 'dead-letters' } as const
