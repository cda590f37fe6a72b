import type { Logger } from 'pino'
import { Gauge, type Registry } from 'prom-client'

import { type AccessSource, FileAccess, TopicAccess } from '#access-store'
import { AuditTopic, AuditTrail, entryOfAct, entryOfDenial } from '#audit'
import { Authenticator, JwtVerifier } from '#authentication'
import type { Config } from '#config'
import type { Guard } from '#http'
import type { KafkaCluster } from '#kafka'
import { PrincipalLimits } from '#limits'
import type { HealthRegistry } from '#observability'

import { peerTokens } from './peer-tokens.ts'

/** Access control and limits of a process. */
export interface Protection {
  /** Undefined: everyone may do everything. */
  readonly guard?: Guard
  readonly limits: PrincipalLimits
  /** Writes what is left of the audit trail. */
  close(): Promise<void>
}

interface ProtectedProcess {
  /** `writer`, `platform` … */
  readonly name: string
  readonly config: Config
  readonly cluster: KafkaCluster
  readonly health: HealthRegistry
  readonly metrics: Registry
  readonly logger: Logger
}

/**
 * Opens access control as the settings want it. It opens even if keys and roles cannot be read: then it admits nobody
 * until they can.
 */
export async function openProtection(process: ProtectedProcess): Promise<Protection> {
  const { name, config, cluster, metrics, logger } = process
  const access = accessSource(config, cluster)
  const roles = () => access?.current?.roles
  const limits = new PrincipalLimits({ defaults: config.limits, metrics, roles })
  if (access === undefined) return { limits, close: () => Promise.resolve() }
  await access.start()
  watchAccess(access, process)
  const source = { service: name, instance: config.http.advertisedUrl }
  const trail = new AuditTrail({ sink: new AuditTopic(cluster, config), source, metrics, logger })
  const authenticator = authenticatorOf(config, access, logger)
  return {
    limits,
    guard: {
      authenticate: (credentials) => authenticator.authenticate(credentials),
      denied: (denial) => trail.record(entryOfDenial(denial)),
      acted: (act) => trail.record(entryOfAct(act)),
    },
    close: async () => {
      await access.stop()
      await trail.close()
    },
  }
}

/** Where keys, roles and certificates are stored; undefined if access is open. */
function accessSource({ access, kafka }: Config, cluster: KafkaCluster): AccessSource | undefined {
  if (access.mode === 'topic') return new TopicAccess({ ...kafka, cluster, topic: access.topic })
  return access.file === undefined ? undefined : new FileAccess(access.file)
}

function authenticatorOf(config: Config, access: AccessSource, logger: Logger): Authenticator {
  const { jwksUrl, issuer, audience, ...jwt } = config.access.jwt
  const isJwt = jwksUrl !== undefined && issuer !== undefined && audience !== undefined
  const peers = peerTokens(config)
  const onFetch = (outcome: { readonly keys: number } | { readonly failure: string }) => {
    if ('failure' in outcome) logger.warn(outcome, 'the public keys of the issuer cannot be fetched')
  }
  return new Authenticator({
    access: () => access.current,
    ...(isJwt && { jwt: new JwtVerifier({ ...jwt, jwksUrl, issuer, audience, onFetch }) }),
    ...(peers && { peers }),
  })
}

/** Reports in health, metrics and log how well this process knows who may do what. */
function watchAccess(access: AccessSource, { health, metrics, logger }: ProtectedProcess): void {
  health.add({
    name: 'access',
    kind: 'readiness',
    check: () => {
      if (access.current === undefined) throw new Error(reasonOf(access))
      return access.state
    },
  })
  // The last state stays in force, so the process still takes requests.
  health.add({
    name: 'access-changes',
    kind: 'part',
    check: () => {
      if (access.state.status !== 'current') throw new Error(reasonOf(access))
    },
  })
  new Gauge({
    name: 'annals_access_current',
    help: '1: changes of keys and roles arrive; 0: the last known state is in force, or none',
    registers: [metrics],
    collect() {
      this.set(access.state.status === 'current' ? 1 : 0)
    },
  })
  access.onChange(() => logger.info({ access: access.state }, 'keys, roles or certificates have changed'))
}

const reasonOf = ({ state: { status, source, reason = status } }: AccessSource): string =>
  `${source}: ${reason}`
