import { unlessAborted } from '#async'
import type { Config } from '#config'
import type { DomainModule } from '#domain'
import { KafkaCluster } from '#kafka'
import { kafkaSettings, loadDomain, redisSettings } from '#service'

import { type JobControl, PhaseProgress, timed } from '../job-control.ts'
import { clusterOf, clusterText } from '../named-cluster.ts'
import { checkFence } from './check-fence.ts'
import { checkLogs } from './check-logs.ts'
import { checkRedis } from './check-redis.ts'
import { checkDomainSchemas } from './check-schemas.ts'
import { checkSettings } from './check-settings.ts'
import { checkWriters } from './check-writers.ts'
import { checkProtection } from './protection/check-protection.ts'
import { fail, type DoctorFinding, findingsOf, ok, warn } from './finding.ts'

/** `interrupted`: the other parts were not checked. */
export interface Examination {
  readonly status: 'examined' | 'interrupted'
  /** True if all parts were checked and no finding is a failure. */
  readonly isHealthy: boolean
  readonly findings: readonly DoctorFinding[]
  readonly tookMs: number
}

/** A part that only reads is given up when the signal aborts; the test of the fence is not, because it deletes its topic. */
type Part = (signal: AbortSignal) => Promise<readonly DoctorFinding[]>

/**
 * Checks everything that the guarantees depend on. A part that cannot be reached is a finding; the other parts are still checked.
 * @throws InvalidInputError when a domain module cannot be loaded.
 */
export function examine(config: Config, control: JobControl<'examining'>): Promise<Examination> {
  return timed(() => examineAll(config, control))
}

async function examineAll(
  config: Config,
  control: JobControl<'examining'>,
): Promise<Omit<Examination, 'tookMs'>> {
  const { signal } = control
  const domain = await loadDomain(config.domain.modules)
  const { connected, findings } = await connectKafka(config, signal)
  try {
    const ofKafka = connected === undefined ? [] : kafkaParts(connected, config, domain)
    return await inTurn([...ofKafka, ...otherParts(config, domain)], findings, control)
  } finally {
    await connected?.close()
  }
}

/** @param connecting the findings of the connection to Kafka, which is the first part. */
async function inTurn(
  parts: readonly Part[],
  connecting: readonly DoctorFinding[],
  control: JobControl<'examining'>,
): Promise<Omit<Examination, 'tookMs'>> {
  const { signal } = control
  const progress = new PhaseProgress(control, { phase: 'examining', unit: 'parts' }, parts.length + 1)
  const findings = [...connecting]
  progress.advance(1)
  for (const part of parts) {
    if (!signal.aborted) findings.push(...(await part(signal)))
    if (signal.aborted) return { status: 'interrupted', isHealthy: false, findings }
    progress.advance(1)
  }
  return { status: 'examined', isHealthy: !findings.some(({ status }) => status === 'fail'), findings }
}

async function connectKafka(config: Config, signal: AbortSignal) {
  try {
    const connected = await KafkaCluster.connect(kafkaSettings(config), { signal })
    const text = clusterText(clusterOf(connected, config))
    return { connected, findings: [ok('Kafka', `${text} answers`)] }
  } catch (error) {
    if (signal.aborted) return { connected: undefined, findings: [] }
    const message = error instanceof Error ? error.message : String(error)
    const finding = fail('Kafka', message, 'Start it, or set ANNALS_KAFKA_BROKERS')
    return { connected: undefined, findings: [finding] }
  }
}

/** A part that only reads. */
const reading =
  (subject: string, remedy: string, check: () => Promise<readonly DoctorFinding[]>): Part =>
  async (signal) =>
    (await unlessAborted(signal, findingsOf(subject, remedy, check))) ?? []

const kafkaParts = (cluster: KafkaCluster, config: Config, domain: DomainModule): Part[] => [
  () => checkFence(cluster, config),
  reading('settings', 'Allow this user to describe configurations', () => checkSettings(cluster, domain)),
  reading('logs', 'Allow this user to read the topics', () => checkLogs(cluster, config, domain)),
  reading('writers', 'Allow this user to describe the group', () => checkWriters(cluster, config, domain)),
]

const otherParts = (config: Config, domain: DomainModule): Part[] => [
  () => Promise.resolve(ofDomain(domain)),
  reading('Redis', 'Start it, or set ANNALS_REDIS_URL', () => checkRedis(redisSettings(config))),
  reading('schema registry', 'Start it, or set ANNALS_REGISTRY_URL', () =>
    checkDomainSchemas(config, domain),
  ),
  reading('protection', 'Correct the settings that the error names', () => checkProtection(config)),
]

function ofDomain({ aggregates }: DomainModule): DoctorFinding[] {
  if (aggregates.length > 0) {
    return [ok('domain', `aggregate types ${aggregates.map(({ type }) => type).join(', ')}`)]
  }
  const message = 'no domain module is configured: topics, schemas and owners cannot be checked'
  return [warn('domain', message, 'Set ANNALS_DOMAIN to the value that the writers use')]
}
