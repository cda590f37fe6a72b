import { type AuditEntry, directPrincipal, recordOnce } from '#audit'
import type { Config } from '#config'
import { KafkaCluster } from '#kafka'
import { kafkaSettings } from '#service'

import { type JobControl, noticesTo } from '../job-control.ts'

/** What a command that reaches Kafka directly does. */
export type DirectAct = Pick<AuditEntry, 'type' | 'resource' | 'operation' | 'details'>

const recordTimeoutMs = 10_000
const failedStatuses = ['interrupted', 'failed']

/** Whether an installation has an audit trail. */
const isAudited = ({ access }: Pick<Config, 'access'>): boolean =>
  access.mode !== undefined && access.mode !== 'open'

/**
 * Runs work that changes Kafka directly, and then records it with its outcome, as done by the user of this process. Without access control
 * nothing is recorded. A trail that cannot be written is a warning: the work is done by then.
 * @throws what the work throws
 */
export async function audited<T extends { readonly status: string }>(
  config: Config,
  act: DirectAct,
  work: () => Promise<T>,
  control: Pick<JobControl, 'onNotice'>,
): Promise<T> {
  if (!isAudited(config)) return work()
  const record = (outcome: 'success' | 'failure', reason?: string) =>
    recordDirect(
      config,
      { ...act, action: 'operate', outcome, ...(reason !== undefined && { reason }) },
      control,
    )
  try {
    const done = await work()
    await (failedStatuses.includes(done.status) ? record('failure', done.status) : record('success'))
    return done
  } catch (error) {
    await record('failure', error instanceof Error ? error.message : String(error))
    throw error
  }
}

/**
 * Records something that was done, as done by the user of this process, on a connection of its own: that of the work may be closed, or may
 * never have been opened. It never rejects: a trail that cannot be written is a warning.
 */
export async function recordDirect(
  config: Config,
  entry: AuditEntry,
  control: Pick<JobControl, 'onNotice'>,
  connectMsMax = recordTimeoutMs,
): Promise<void> {
  try {
    const cluster = await KafkaCluster.connect(kafkaSettings(config), { timeoutMs: connectMsMax })
    try {
      await recordOnce(cluster, config, { ...entry, principal: directPrincipal() }, recordTimeoutMs)
    } finally {
      await cluster.close()
    }
  } catch (error) {
    const message = `the audit trail could not be written: ${error instanceof Error ? error.message : String(error)}`
    noticesTo(control)({ kind: 'warning', message })
  }
}
