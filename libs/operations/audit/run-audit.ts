import type { Config } from '#config'
import { KafkaCluster } from '#kafka'
import { kafkaSettings } from '#service'

import { clusterOf, type NamedCluster } from '../named-cluster.ts'
import {
  type AuditConnections,
  type AuditControl,
  type AuditRead,
  type AuditRequest,
  readAudit,
} from './read-audit.ts'

/** What a search of the audit trail found, besides the entries. */
export interface AuditSearch extends AuditRead {
  readonly cluster: NamedCluster
  readonly topic: string
}

/**
 * Searches the audit trail of an installation. Only its topic is read, so a user who may read nothing else can run it.
 * @throws OperationError, LogError, ConfigError; what `onEntry` throws; the reason of the signal if it aborts before the connection is open.
 */
export async function runAudit(
  { config, onEntry }: Pick<AuditConnections, 'onEntry'> & { readonly config: Config },
  request: AuditRequest,
  control: AuditControl,
): Promise<AuditSearch> {
  const topic = config.access.auditTopic
  const cluster = await KafkaCluster.connect(kafkaSettings(config), { signal: control.signal })
  try {
    const named = clusterOf(cluster, config)
    const read = await readAudit({ cluster, topic, named, onEntry }, request, control)
    return { ...read, cluster: named, topic }
  } finally {
    await cluster.close()
  }
}
