import type { Config } from '#config'
import { groupMembers, type KafkaCluster } from '#kafka'

import { MoveError } from './move-error.ts'

/** A group of services that has members. */
export interface GroupAtWork {
  readonly service: 'writer' | 'snapshotter' | 'projector'
  readonly groupId: string
  readonly members: number
  /** Where they connect from. */
  readonly hosts: readonly string[]
}

/** Services that take part now. One that was killed counts until its session has run out. @throws LogError */
export async function groupsAtWork(cluster: KafkaCluster, config: Config): Promise<readonly GroupAtWork[]> {
  const services = ['writer', 'snapshotter', 'projector'] as const
  const groups = await Promise.all(
    services.map(async (service) => {
      const { groupId } = config[service]
      const members = await groupMembers(cluster, groupId)
      const hosts = [...new Set(members.map(({ host }) => host.replace('/', '')))]
      return { service, groupId, members: members.length, hosts }
    }),
  )
  return groups.filter(({ members }) => members > 0)
}

/** @throws MoveError `group-at-work` */
export async function checkIdle(cluster: KafkaCluster, config: Config): Promise<void> {
  const [busy] = await groupsAtWork(cluster, config)
  if (busy === undefined) return
  const { service, groupId, members, hosts } = busy
  throw new MoveError(
    'group-at-work',
    `group ${groupId} has ${members} members (from ${hosts.join(', ')}): stop every ${service}. ` +
      'One that was killed counts until its session time-out has passed',
  )
}
