import type { Config } from '#config'
import type { DomainModule } from '#domain'
import { KafkaCluster } from '#kafka'
import { kafkaSettings, loadDomain, redisSettings } from '#service'

import { type JobControl, PhaseProgress } from '../job-control.ts'
import { clusterOf, clusterText } from '../named-cluster.ts'
import { checkFence } from './check-fence.ts'
import { checkLogs } from './check-logs.ts'
import { checkRedis } from './check-redis.ts'
import { checkDomainSchemas } from './check-schemas.ts'
import { checkSettings } from './check-settings.ts'
import { checkWriters } from './check-writers.ts'
import { fail, type DoctorFinding, findingsOf, ok, warn } from './finding.ts'

/** `interrupted`: the other parts were not checked. */
export interface Examination {
  readonly status: 'examined' | 'interrupted'
  /** True if no finding is a failure. */
  readonly isHealthy: boolean
  readonly findings: readonly DoctorFinding[]
}

type Part = () => readonly DoctorFinding[] | Promise<readonly DoctorFinding[]>

/**
 * Checks everything that the guarantees depend on. A part that cannot be reached is a finding; the other parts are still checked.
 * @throws InvalidInputError when a domain module cannot be loaded.
 */
export async function examine(config: Config, control: JobControl<'examining'>): Promise<Examination> {
  const domain = await loadDomain(config.domain.modules)
  const { connected, findings } = await connectKafka(config)
  try {
    const ofKafka = connected === undefined ? [] : kafkaParts(connected, config, domain)
    return await inTurn([() => findings, ...ofKafka, ...otherParts(config, domain)], control)
  } finally {
    await connected?.close()
  }
}

async function inTurn(parts: readonly Part[], control: JobControl<'examining'>): Promise<Examination> {
  const progress = new PhaseProgress(control, { phase: 'examining', unit: 'parts' }, parts.length)
  const findings: DoctorFinding[] = []
  for (const part of parts) {
    if (control.signal.aborted) return { status: 'interrupted', ...judged(findings) }
    findings.push(...(await part()))
    progress.advance(1)
  }
  return { status: 'examined', ...judged(findings) }
}

const judged = (findings: readonly DoctorFinding[]): Omit<Examination, 'status'> => ({
  isHealthy: !findings.some(({ status }) => status === 'fail'),
  findings,
})

async function connectKafka(config: Config) {
  try {
    const connected = await KafkaCluster.connect(kafkaSettings(config))
    const text = clusterText(clusterOf(connected, config))
    return { connected, findings: [ok('Kafka', `${text} answers`)] }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const finding = fail('Kafka', message, 'Start it, or set ANNALS_KAFKA_BROKERS')
    return { connected: undefined, findings: [finding] }
  }
}

const kafkaParts = (cluster: KafkaCluster, config: Config, domain: DomainModule): Part[] => [
  () => checkFence(cluster, config),
  () =>
    findingsOf('settings', 'Allow this user to describe configurations', () =>
      checkSettings(cluster, domain),
    ),
  () => findingsOf('logs', 'Allow this user to read the topics', () => checkLogs(cluster, config, domain)),
  () =>
    findingsOf('writers', 'Allow this user to describe the group', () =>
      checkWriters(cluster, config, domain),
    ),
]

const otherParts = (config: Config, domain: DomainModule): Part[] => [
  () => ofDomain(domain),
  () => findingsOf('Redis', 'Start it, or set ANNALS_REDIS_URL', () => checkRedis(redisSettings(config))),
  () =>
    findingsOf('schema registry', 'Start it, or set ANNALS_REGISTRY_URL', () =>
      checkDomainSchemas(config, domain),
    ),
]

function ofDomain({ aggregates }: DomainModule): DoctorFinding[] {
  if (aggregates.length > 0) {
    return [ok('domain', `aggregate types ${aggregates.map(({ type }) => type).join(', ')}`)]
  }
  const message = 'no domain module is configured: topics, schemas and owners cannot be checked'
  return [warn('domain', message, 'Set ANNALS_DOMAIN to the value that the writers use')]
}
