import { hostname, userInfo } from 'node:os'

import type { KafkaCluster } from '#kafka'

import type { AuditEntry, AuditPrincipal } from './audit-entry.ts'
import { type AuditSettings, AuditTopic } from './audit-topic.ts'
import { encodeEntry } from './encode-entry.ts'

/** Writes one entry, for commands that reach Kafka directly. Resolves when it is durable. @throws LogError */
export async function recordOnce(
  cluster: KafkaCluster,
  settings: AuditSettings,
  entry: AuditEntry,
  timeoutMs?: number,
): Promise<void> {
  const record = encodeEntry(entry, { service: 'cli', instance: hostname() })
  await new AuditTopic(cluster, settings, timeoutMs).write([record])
}

/** Who runs a command that reaches Kafka directly: `cli:ada@host-1`. The name is what the system says; Kafka's own login is the proof. */
export function directPrincipal(): AuditPrincipal {
  return { name: `cli:${userName()}@${hostname()}`, kind: 'cli' }
}

/** A user of a container may have no entry in the user database. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
