import { setTimeout as pause } from 'node:timers/promises'

import type { Config } from '#config'
import type { DomainModule } from '#domain'
import { eventTopic, type KafkaCluster, type OwnersTable, partitionKey, readOwners, Topics } from '#kafka'

import { fail, type Finding, ok, warn } from './finding.ts'

const settleTries = 10
const settlePauseMs = 500
const probeMs = 5_000

/** Whether every partition has an owner, and whether each of them answers. */
export async function checkWriters(
  cluster: KafkaCluster,
  { writer }: Config,
  domain: DomainModule,
): Promise<readonly Finding[]> {
  const owners = await settledOwners(cluster, writer.groupId)
  if (owners === undefined) {
    const message = `group ${writer.groupId} is sharing out the partitions anew all the time`
    return [warn('writers', message, 'Run doctor again; if it stays so, look into the logs of the writers')]
  }
  const urls = [...new Set([...owners.values()].map(({ url }) => url))].sort()
  const unowned = (await partitionsOf(cluster, domain)).filter((key) => !owners.has(key))
  return [...(await Promise.all(urls.map(probe))), ...ownership(owners, unowned, writer.groupId)]
}

/** While the group shares out partitions nobody knows the owners, for a second or two. */
async function settledOwners(cluster: KafkaCluster, groupId: string): Promise<OwnersTable | undefined> {
  for (let left = settleTries; left > 0; left--) {
    const owners = await readOwners(cluster, groupId)
    if (owners !== undefined) return owners
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

function ownership(owners: OwnersTable, unowned: readonly string[], groupId: string): Finding[] {
  if (owners.size === 0) {
    const message = `no writer is in group ${groupId}: nothing can be appended`
    return [fail('writers', message, 'Start one: ./scripts/start.sh, or services/writer/main.ts')]
  }
  if (unowned.length === 0) return [ok('owners', `every partition has one, ${owners.size} in all`)]
  const message = `nobody owns ${unowned.join(', ')}: nothing can be appended there`
  return [fail('owners', message, 'Start the writers with all domain modules (ANNALS_DOMAIN)')]
}

async function probe(url: string): Promise<Finding> {
  const subject = `writer ${url}`
  try {
    const response = await fetch(new URL('/health/ready', url), { signal: AbortSignal.timeout(probeMs) })
    if (response.ok) return ok(subject, 'it is ready')
    const message = `it is not ready: ${(await response.text()).slice(0, 300)}`
    return fail(subject, message, 'What is named there is in the way; the log of the writer says more')
  } catch (error) {
    const reason =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    const remedy =
      'Set its ANNALS_ADVERTISED_URL to a URL that clients reach; if it has died, another takes over in seconds'
    return fail(subject, `it owns partitions and does not answer: ${reason}`, remedy)
  }
}
