import { describeGroupsV5 } from '@platformatic/kafka'
import { type Assigner, AssignerProtocol, type PartitionAssigner } from 'kafkajs'

import { deadlineIn } from '#async'
import { partitionKey, type TopicPartition } from '#domain'

import { untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'
import { type Assignment, encodeMember, type MemberData, readAssignment, readMember } from './group-member.ts'
import { anyPeerUrl, type PeerUrlCheck } from './peer-url.ts'
import { assignSticky, type StickyMember } from './sticky-assignor.ts'

/** A member, and the URL where it claims to take requests. */
export interface Owner {
  readonly memberId: string
  readonly url: string
  /** A random id of its process. */
  readonly instance: string
}

/** A member with readable metadata. */
export interface Member extends Owner {
  readonly topics: readonly string[]
  /** Whether it takes partitions over ahead of the group. Members of older versions do not. */
  readonly takesEarly: boolean
}

/** By `topic/partition`. */
export type OwnersTable = ReadonlyMap<string, Owner>

/** A group member that is not a verified Annals process. It gets no partitions, and no request is sent to its URL. */
export interface ForeignMember {
  readonly memberId: string
  readonly reason: string
}

/** Members and owners of a group, as its coordinator reports them. */
export interface GroupTable {
  readonly owners: OwnersTable
  /** Members with readable metadata, with or without partitions. */
  readonly members: readonly Member[]
  /** Members whose metadata cannot be read. */
  readonly foreign: readonly ForeignMember[]
}

const version = 0
const assignorName = 'annals-sticky'
const consumerProtocol = 'consumer'

export const partitionsOf = (assignment: Assignment): TopicPartition[] =>
  Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  )

export const assignmentOf = (places: readonly TopicPartition[]): Assignment => {
  const byTopic = Map.groupBy(places, ({ topic }) => topic)
  return Object.fromEntries(
    [...byTopic].map(([topic, ofTopic]) => [topic, ofTopic.map(({ partition }) => partition)]),
  )
}

const encodeAssignment = (places: readonly TopicPartition[]): Buffer =>
  AssignerProtocol.MemberAssignment.encode({
    version,
    assignment: mutable(assignmentOf(places)),
    userData: Buffer.alloc(0),
  })

/** As kafkajs declares it. */
const mutable = (assignment: Assignment): Record<string, number[]> =>
  Object.fromEntries(Object.entries(assignment).map(([topic, partitions]) => [topic, [...partitions]]))

interface JoinedMember extends StickyMember, Member {}

interface Joined {
  readonly members: readonly JoinedMember[]
  readonly foreign: readonly ForeignMember[]
}

function readJoined(
  all: readonly { memberId: string; memberMetadata: Buffer }[],
  checkUrl: PeerUrlCheck,
): Joined {
  const members: JoinedMember[] = []
  const foreign: ForeignMember[] = []
  for (const { memberId, memberMetadata } of all) {
    const read = readMember(memberMetadata, checkUrl)
    if ('problem' in read) {
      foreign.push({ memberId, reason: read.problem })
      continue
    }
    const { topics, data } = read
    const claims = (claimed: Assignment = {}) =>
      data.memberId === memberId ? partitionsOf(claimed).map(partitionKey) : []
    members.push({
      ...{ memberId, topics, url: data.url, instance: data.instance },
      ...{ owned: claims(data.owned), early: claims(data.early), takesEarly: data.early !== undefined },
    })
  }
  return { members, foreign }
}

type AssignerCluster = Parameters<PartitionAssigner>[0]['cluster']

/**
 * The partitions of topics. A topic that does not exist must not fail the leader: if the topics cannot be looked up together,
 * each is looked up separately, and missing ones are left out.
 */
async function partitionsOfTopics(
  cluster: AssignerCluster,
  topics: readonly string[],
): Promise<TopicPartition[]> {
  try {
    await cluster.addMultipleTargetTopics([...topics])
  } catch (error) {
    if (topics.length === 1) return []
    if (topics.length === 0) throw error
    const found: TopicPartition[] = []
    for (const topic of topics) found.push(...(await partitionsOfTopics(cluster, [topic])))
    return found
  }
  return topics.flatMap((topic) =>
    cluster
      .findTopicPartitionMetadata(topic)
      .map(({ partitionId }) => ({ topic, partition: partitionId }))
      .sort((a, b) => a.partition - b.partition),
  )
}

interface StickyAssignerOptions {
  /** This member's metadata, called on each join. */
  readonly self: () => MemberData
  /** Says why a member's URL is not allowed. Such a member is foreign. */
  readonly checkUrl: PeerUrlCheck
  /** Selects the members that must not get partitions. The leader calls it before each assignment; must not throw. */
  readonly unfit: (members: readonly Owner[]) => Promise<readonly ForeignMember[]>
  /** Called at each assignment with the members that get no partitions. */
  readonly onForeign: (foreign: readonly ForeignMember[]) => void
}

/** The assignor for the group client. All members must use its protocol. The leader assigns; a member may get no partitions. */
export function stickyAssigner(options: StickyAssignerOptions): PartitionAssigner {
  const { self, checkUrl, unfit, onForeign } = options
  return ({ cluster }): Assigner => ({
    name: assignorName,
    version,
    protocol: ({ topics }) => ({
      name: assignorName,
      metadata: encodeMember(version, { topics, data: self() }),
    }),
    assign: async ({ members: all }) => {
      const joined = readJoined(all, checkUrl)
      const foreign = [...joined.foreign, ...(await unfit(joined.members))]
      onForeign(foreign)
      const out = new Set(foreign.map(({ memberId }) => memberId))
      const members = joined.members.filter(({ memberId }) => !out.has(memberId))
      // During a rolling upgrade, members may subscribe to different topics. The leader distributes all of them.
      const topics = [...new Set(members.flatMap((member) => member.topics))].sort()
      const assigned = assignSticky(members, await partitionsOfTopics(cluster, topics))
      return all.map(({ memberId }) => ({
        memberId,
        memberAssignment: encodeAssignment(assigned.get(memberId) ?? []),
      }))
    },
  })
}

interface ReadGroupOptions {
  /** Default 5,000. */
  readonly timeoutMs?: number
  /** Says why a member's URL is not allowed. Such a member is foreign. Default: every URL of HTTP is allowed. */
  readonly checkUrl?: PeerUrlCheck
}

/**
 * Reads members and owners from the group's coordinator, without joining. Nothing is verified: a member can claim any allowed URL.
 * @returns undefined while the group is rebalancing. An empty table means that the group has no members.
 * @throws LogError `unavailable`
 */
export async function readGroup(
  cluster: KafkaCluster,
  groupId: string,
  { timeoutMs = 5_000, checkUrl = anyPeerUrl }: ReadGroupOptions = {},
): Promise<GroupTable | undefined> {
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
  if (group === undefined || group.groupState === 'Dead' || group.groupState === 'Empty') {
    return { owners: new Map(), members: [], foreign: [] }
  }
  if (group.groupState !== 'Stable' || group.protocolType !== consumerProtocol) return undefined
  const { members, foreign } = readJoined(group.members, checkUrl)
  const assignments = new Map(group.members.map((member) => [member.memberId, member.memberAssignment]))
  const owners = members.flatMap(({ memberId, url, instance }) => {
    const assigned = readAssignment(assignments.get(memberId) ?? Buffer.alloc(0))
    return partitionsOf(assigned).map((place) => [partitionKey(place), { memberId, url, instance }] as const)
  })
  return { owners: new Map(owners), members, foreign }
}

/** The owners of {@link readGroup}. @throws LogError `unavailable` */
export async function readOwners(cluster: KafkaCluster, groupId: string): Promise<OwnersTable | undefined> {
  return (await readGroup(cluster, groupId))?.owners
}
