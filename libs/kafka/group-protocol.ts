import { describeGroupsV5 } from '@platformatic/kafka'
import { type Assigner, AssignerProtocol, type PartitionAssigner } from 'kafkajs'

import { deadlineIn, untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'
import { assignSticky, partitionKey, type StickyMember, type TopicPartition } from './sticky-assignor.ts'

/** Who owns a partition, and where it takes requests. */
export interface Owner {
  readonly memberId: string
  readonly url: string
}

/** By `topic/partition`. */
export type OwnersTable = ReadonlyMap<string, Owner>

/** What a member says of itself when it joins; travels in Kafka's own member metadata, as JSON. */
interface MemberData {
  readonly url: string
  /** The id under which it owned: one that was thrown out and comes back under another has lost its claims. */
  readonly memberId: string
  readonly owned: Assignment
}

/** Partitions by topic. */
export type Assignment = Readonly<Record<string, readonly number[]>>

const version = 0
const assignorName = 'annals-sticky'
const consumerProtocol = 'consumer'

export const partitionsOf = (assignment: Assignment): TopicPartition[] =>
  Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  )

function assignmentOf(partitions: readonly TopicPartition[]): Record<string, number[]> {
  const assignment: Record<string, number[]> = {}
  for (const { topic, partition } of partitions) (assignment[topic] ??= []).push(partition)
  return assignment
}

function decodeMember(metadata: Buffer): { topics: string[]; data: Partial<MemberData> } {
  const decoded = AssignerProtocol.MemberMetadata.decode(metadata)
  const text = decoded?.userData.toString() ?? ''
  return { topics: decoded?.topics ?? [], data: text === '' ? {} : (JSON.parse(text) as MemberData) }
}

function stickyMember({
  memberId,
  memberMetadata,
}: {
  memberId: string
  memberMetadata: Buffer
}): StickyMember {
  const { topics, data } = decodeMember(memberMetadata)
  const owned = data.memberId === memberId ? partitionsOf(data.owned ?? {}) : []
  return { memberId, topics, owned: owned.map(partitionKey) }
}

/** The assignor for the group client. @param self what this member says of itself, asked anew whenever it joins. */
export function stickyAssigner(self: () => MemberData): PartitionAssigner {
  return ({ cluster }): Assigner => ({
    name: assignorName,
    version,
    protocol: ({ topics }) => ({
      name: assignorName,
      metadata: AssignerProtocol.MemberMetadata.encode({
        version,
        topics,
        userData: Buffer.from(JSON.stringify(self())),
      }),
    }),
    assign: async ({ members }) => {
      const joined = members.map(stickyMember)
      // While versions change, members may not all want the same topics: the leader shares out those of all.
      const topics = [...new Set(joined.flatMap((member) => member.topics))].sort()
      await cluster.addMultipleTargetTopics(topics)
      const partitions = topics.flatMap((topic) =>
        cluster
          .findTopicPartitionMetadata(topic)
          .map(({ partitionId }) => ({ topic, partition: partitionId }))
          .sort((a, b) => a.partition - b.partition),
      )
      return [...assignSticky(joined, partitions)].map(([memberId, assigned]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version,
          assignment: assignmentOf(assigned),
          userData: Buffer.alloc(0),
        }),
      }))
    },
  })
}

/**
 * Who owns what, from the group's coordinator; needs no membership.
 * @returns undefined while the group is rebalancing: then nobody knows. An empty table means that nobody is there.
 * @throws LogError `unavailable`
 */
export async function readOwners(
  cluster: KafkaCluster,
  groupId: string,
  timeoutMs = 5_000,
): Promise<OwnersTable | undefined> {
  const attempts = {
    what: `asking for the owners in ${groupId}`,
    deadline: deadlineIn(timeoutMs),
    changes: false,
  }
  const { groups } = await untilAnswered(attempts, () =>
    cluster.onCoordinator('group', groupId, (connection) =>
      describeGroupsV5.api.async(connection, [groupId], false),
    ),
  )
  const group = groups[0]
  if (group === undefined || group.groupState === 'Dead' || group.groupState === 'Empty') return new Map()
  if (group.groupState !== 'Stable' || group.protocolType !== consumerProtocol) return undefined
  return new Map(
    group.members.flatMap(({ memberId, memberMetadata, memberAssignment }) => {
      const owner = { memberId, url: decodeMember(memberMetadata).data.url ?? '' }
      const assigned = AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {}
      return partitionsOf(assigned).map((partition) => [partitionKey(partition), owner] as const)
    }),
  )
}
