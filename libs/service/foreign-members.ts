import type { Logger } from 'pino'
import { Gauge, type Registry } from 'prom-client'

import type { ForeignMember } from '#kafka'

import type { PeerRole } from './peer-route.ts'

/** Logs each foreign member once, and shows how many there are. */
export function reportForeign(
  role: PeerRole,
  metrics: Registry,
  logger: Logger,
): (foreign: readonly ForeignMember[], fresh: readonly ForeignMember[]) => void {
  const gauge = new Gauge({
    name: `annals_${role}_foreign_members`,
    help: `Members of the group that are no ${role}s or not where they say, as last seen`,
    registers: [metrics],
  })
  return (foreign, fresh) => {
    gauge.set(foreign.length)
    for (const { memberId, reason } of fresh) {
      logger.error(
        { memberId, reason },
        `a member of the group of ${role}s is no ${role}, or not where it says: it gets no partitions, and its URL is not followed; look at its ANNALS_ADVERTISED_URL, and take the right to join the group from all others`,
      )
    }
  }
}
