import type { Config } from '#config'
import type { Projection } from '#domain'
import { type KafkaCluster, Topics } from '#kafka'

import { changelogTopics } from './changelog/index.ts'
import { deadLetterTopicSpecs } from './dead-letters/dead-letter-log.ts'

/** Makes the topics that projections write to, where they are missing: changelogs, and dead letters where the policy asks for them. */
export async function ensureProjectionTopics(
  cluster: KafkaCluster,
  projections: readonly Projection[],
  kafka: Config['kafka'],
  changelog: boolean,
): Promise<void> {
  const changelogs = changelog ? changelogTopics(projections, kafka) : []
  await new Topics(cluster).ensure([...changelogs, ...deadLetterTopicSpecs(projections, kafka)])
}
