import { describeGroupsV5 } from '@platformatic/kafka'

import { deadlineIn } from '#async'

import { untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'

/** A group member as Kafka reports it. */
interface GroupMember {
  readonly memberId: string
  readonly clientId: string
  /** The address that it connects from. */
  readonly host: string
}

/** The current members of a group in any state. @throws LogError `unavailable`; `refused` when describing the group is not authorized. */
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
