import type { Logger } from 'pino'
import { Gauge, type Registry } from 'prom-client'

import type { ForeignMember } from '#kafka'

import type { PeerRole } from './peer-route.ts'

/** Logs each foreign member once, and exports their number as a metric. */
export function reportForeign(
  role: PeerRole,
  metrics: Registry,
  logger: Logger,
): (foreign: readonly ForeignMember[], fresh: readonly ForeignMember[]) => void {
  const gauge = new Gauge({
    name: `annals_${role}_foreign_members`,
    help: `Group members that are not ${role}s, or not at the URL they advertise, as last seen`,
    registers: [metrics],
  })
  return (foreign, fresh) => {
    gauge.set(foreign.length)
    for (const { memberId, reason } of fresh) {
      logger.error(
        { memberId, reason },
        `a member of the group of ${role}s is not a ${role}, or not at the URL it advertises: it gets no partitions, and its URL is not used; check its ANNALS_ADVERTISED_URL, and make sure that only ${role}s join the group`,
      )
    }
  }
}
