import { setTimeout as pause } from 'node:timers/promises'

import type { Config } from '#config'
import { PeerCheck } from '#client'
import { type DomainModule, eventTopic, partitionKey, quote } from '#domain'
import {
  type ForeignMember,
  type GroupTable,
  type KafkaCluster,
  type Owner,
  type OwnersTable,
  readGroup,
  Topics,
} from '#kafka'
import { peerPath, peerTls, peerTokens, peerUrls, proofCheck } from '#service'

import { fail, type DoctorFinding, ok, warn } from './finding.ts'
import { probeWriter } from './probe-writer.ts'

const settleTries = 10
const settlePauseMs = 500

/** Checks that every partition has an owner, that each owner answers, and that all members of the group are writers. */
export async function checkWriters(
  cluster: KafkaCluster,
  config: Config,
  domain: DomainModule,
): Promise<readonly DoctorFinding[]> {
  const { writer } = config
  const group = await settledGroup(cluster, config)
  if (group === undefined) {
    const message = `group ${writer.groupId} keeps rebalancing`
    return [warn('writers', message, 'Run doctor again; if that does not help, see the logs of the writers')]
  }
  const { owners, members, foreign } = group
  const unowned = (await partitionsOf(cluster, domain)).filter((key) => !owners.has(key))
  return [
    ...(await examineMembers(members, cluster.clusterId, config)),
    ...foreign.map(notWriter),
    ...ownership(owners, unowned, writer.groupId),
  ]
}

async function examineMembers(
  members: readonly Owner[],
  clusterId: string,
  config: Config,
): Promise<DoctorFinding[]> {
  const tokens = peerTokens(config)
  const group = { clusterId, groupId: config.writer.groupId }
  const tls = peerTls(config)
  const check = new PeerCheck(peerPath('writer'), group, {
    ...(tokens && { checkProof: proofCheck(tokens) }),
    ...(tls && { tls }),
  })
  try {
    const sorted = members.toSorted((a, b) => (a.url < b.url ? -1 : 1))
    const found = await Promise.all(
      sorted.map(async (member) => {
        if ((await check.verdict(member)) !== 'refuted') return probeWriter(member.url, config)
        const reason = `the process at ${member.url} is not this member`
        return [notWriter({ memberId: member.memberId, reason })]
      }),
    )
    return found.flat()
  } finally {
    await check.close()
  }
}

const notWriter = ({ memberId, reason }: ForeignMember): DoctorFinding =>
  fail(
    `member ${quote(memberId)}`,
    `it is in the group of the writers but is not a writer: ${reason}. It gets no partitions, and no requests are forwarded to it`,
    'Stop it, and allow only writers to join the group. If it is a writer, its ANNALS_ADVERTISED_URL must lead to it and to no other process',
  )

/** Owners are unknown for a second or two while the group rebalances. */
async function settledGroup(cluster: KafkaCluster, config: Config): Promise<GroupTable | undefined> {
  const checkUrl = peerUrls(config)
  for (let left = settleTries; left > 0; left--) {
    const group = await readGroup(cluster, config.writer.groupId, { checkUrl })
    if (group !== undefined) return group
    await pause(settlePauseMs)
  }
  return undefined
}

async function partitionsOf(cluster: KafkaCluster, domain: DomainModule): Promise<string[]> {
  const topics = await new Topics(cluster).describe(domain.aggregates.map(({ type }) => eventTopic(type)))
  return topics.flatMap(({ name: topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => partitionKey({ topic, partition })),
  )
}

function ownership(owners: OwnersTable, unowned: readonly string[], groupId: string): DoctorFinding[] {
  if (owners.size === 0) {
    const message = `group ${groupId} has no writer: nothing can be appended`
    return [fail('writers', message, 'Start one: ./scripts/start.sh, or services/writer/main.ts')]
  }
  if (unowned.length === 0) return [ok('owners', `all ${owners.size} partitions have an owner`)]
  const message = `${unowned.join(', ')} ${unowned.length === 1 ? 'has' : 'have'} no owner: nothing can be appended there`
  return [fail('owners', message, 'Start the writers with all domain modules (ANNALS_DOMAIN)')]
}
