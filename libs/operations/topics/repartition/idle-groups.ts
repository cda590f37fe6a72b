import { setTimeout as pause } from 'node:timers/promises'

import type { Config } from '#config'
import { groupMembers, type KafkaCluster } from '#kafka'

import type { NoticeListener } from '../../job-control.ts'
import { OperationError } from '../../operation-error.ts'

/** A group of services that has members. */
export interface GroupAtWork {
  readonly service: 'writer' | 'snapshotter' | 'projector'
  readonly groupId: string
  readonly members: number
  /** The hosts of the members. */
  readonly hosts: readonly string[]
}

interface BusyGroup extends GroupAtWork {
  readonly memberIds: readonly string[]
}

/** Signal and notices of a wait for groups. */
interface IdleWait {
  readonly signal: AbortSignal
  /** Called once if it has to wait. */
  readonly notify: NoticeListener
}

const lookMs = 500
/**
 * During a rebalance the coordinator first waits for members to join, then for them to sync, each time up to the services' rebalance
 * time-out of 5 s. After its own start it also has to load the group.
 */
const graceMs = 13_000

/** The groups of running services. A killed service counts until its session expires. @throws LogError */
export async function groupsAtWork(cluster: KafkaCluster, config: Config): Promise<readonly GroupAtWork[]> {
  const groups = await busyGroups(cluster, config)
  return groups.map(({ service, groupId, members, hosts }) => ({ service, groupId, members, hosts }))
}

/** @throws OperationError `group-at-work` */
export async function checkIdle(cluster: KafkaCluster, config: Config): Promise<void> {
  const [busy] = await busyGroups(cluster, config)
  if (busy !== undefined) throw atWork(busy)
}

/**
 * Waits until no service is running. A broker keeps a member that did not leave the group until its session expires, even across a restart
 * of the broker.
 * @throws OperationError `group-at-work` if a member outlives its session, or a new one joins; LogError; an AbortError when the signal aborts.
 */
export async function awaitIdle(
  cluster: KafkaCluster,
  config: Config,
  { signal, notify }: IdleWait,
): Promise<void> {
  const first = await busyGroups(cluster, config)
  const [seen] = first
  if (seen === undefined) return
  const known = new Set(first.flatMap(({ memberIds }) => memberIds))
  const waitMs = Math.max(...first.map(({ service }) => config[service].sessionTimeoutMs)) + graceMs
  const deadlineMs = performance.now() + waitMs
  notify({ kind: 'waiting-for-group', groupId: seen.groupId, members: seen.members, waitMs })
  for (;;) {
    await pause(lookMs, undefined, { signal })
    const busy = await busyGroups(cluster, config)
    const [group] = busy
    if (group === undefined) return
    const fresh = busy.find(({ memberIds }) => memberIds.some((id) => !known.has(id)))
    if (fresh !== undefined || performance.now() > deadlineMs) throw atWork(fresh ?? group)
  }
}

async function busyGroups(cluster: KafkaCluster, config: Config): Promise<readonly BusyGroup[]> {
  const services = ['writer', 'snapshotter', 'projector'] as const
  const groups = await Promise.all(
    services.map(async (service) => {
      const { groupId } = config[service]
      const found = await groupMembers(cluster, groupId)
      return {
        ...{ service, groupId, members: found.length },
        hosts: [...new Set(found.map(({ host }) => host.replace('/', '')))],
        memberIds: found.map(({ memberId }) => memberId),
      }
    }),
  )
  return groups.filter(({ members }) => members > 0)
}

const membersText = (members: number): string => `${members} member${members === 1 ? '' : 's'}`

const atWork = ({ service, groupId, members, hosts }: GroupAtWork): OperationError =>
  new OperationError(
    'group-at-work',
    `group ${groupId} has ${membersText(members)} (from ${hosts.join(', ')}): stop every ${service}, then run this again`,
  )
