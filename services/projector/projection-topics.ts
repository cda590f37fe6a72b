import type { Config } from '#config'
import type { Projection } from '#domain'
import { type KafkaCluster, Topics } from '#kafka'

import { changelogTopics } from './changelog/index.ts'
import { deadLetterTopicSpecs } from './dead-letters/dead-letter-log.ts'

/** Creates missing topics of projections: changelogs, and dead letters if the policy requires them. */
export async function ensureProjectionTopics(
  cluster: KafkaCluster,
  projections: readonly Projection[],
  kafka: Config['kafka'],
  changelog: boolean,
): Promise<void> {
  const changelogs = changelog ? changelogTopics(projections, kafka) : []
  await new Topics(cluster).ensure([...changelogs, ...deadLetterTopicSpecs(projections, kafka)])
}
