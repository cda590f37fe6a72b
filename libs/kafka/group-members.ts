import { describeGroupsV5 } from '@platformatic/kafka'

import { deadlineIn } from '#async'

import { untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'

/** A group member as Kafka reports it. */
export interface GroupMember {
  readonly memberId: string
  readonly clientId: string
  /** Address that he connects from. */
  readonly host: string
}

/** Who is in a group now, whatever its state is. @throws LogError `unavailable`, `refused` when it may not be described. */
export async function groupMembers(
  cluster: KafkaCluster,
  groupId: string,
  timeoutMs = 5_000,
): Promise<readonly GroupMember[]> {
  const what = `asking for the members of ${groupId}`
  const { groups } = await untilAnswered({ what, deadline: deadlineIn(timeoutMs), changes: false }, () =>
    cluster.onCoordinator('group', groupId, (connection) =>
      describeGroupsV5.api.async(connection, [groupId], false),
    ),
  )
  return groups.flatMap(({ members }) =>
    members.map(({ memberId, clientId, clientHost }) => ({ memberId, clientId, host: clientHost })),
  )
}
