import type { Logger } from 'pino'
import type { Registry } from 'prom-client'

import type { HttpRoutes } from '#http'
import type { GroupMembershipOptions, VerifyPeer } from '#kafka'

import type { Backends } from './backends.ts'
import { reportForeign } from './foreign-members.ts'
import { allRoutes, peerPath, peerRoute, type PeerRole } from './peer-route.ts'
import type { ServiceParts } from './run-service.ts'
import type { ServicePart } from './serve.ts'

/** What every instance that owns partitions is built from. */
export interface MemberParts
  extends
    Pick<Backends, 'cluster' | 'redis' | 'codec' | 'domain' | 'topics'>,
    Required<Pick<GroupMembershipOptions, 'advertisedUrl' | 'verifyPeer' | 'onForeign'>> {
  readonly metrics: Registry
  readonly logger: Logger
}

/** Verifies other members of the group. A `PeerCheck` of `#client` is one. */
interface PeerVerifier {
  readonly verdict: VerifyPeer
  /** The same, without a cache. */
  readonly verdictNow: VerifyPeer
  close(): Promise<void>
}

/** @param path at which the members of the group identify themselves */
type PeerVerifierClass = new (
  path: string,
  group: { readonly clusterId: string; readonly groupId: string },
) => PeerVerifier

/** An instance of a service in its consumer group. */
interface Member {
  /** Identifies the process in the group. */
  readonly instance: string
  start(): Promise<void>
  stop(): Promise<void>
}

/** Connects an instance of a service to its group, and turns it into a part of a process. */
export interface GroupMember {
  readonly parts: MemberParts
  /** Asks the process at the address of a member who it is, without a cache. */
  readonly identify: VerifyPeer
  /**
   * The routes and the life of the instance. Its stop leaves the backends open.
   * @param close closes what the instance alone has used, after it has stopped
   */
  servicePart(member: Member, routes: HttpRoutes, close: () => unknown): ServicePart
}

/**
 * Prepares an instance of a service to join its group: it verifies the other members, and proves its own address to
 * them at `/peers/<role>`.
 */
export function groupMember(
  role: PeerRole,
  groupId: string,
  { config, backends, metrics, logger }: ServiceParts,
  Verifier: PeerVerifierClass,
): GroupMember {
  const group = { clusterId: backends.cluster.clusterId, groupId }
  const verifier = new Verifier(peerPath(role), group)
  const { advertisedUrl } = config.http
  const onForeign = reportForeign(role, metrics, logger)
  return {
    parts: {
      ...backends,
      ...{ advertisedUrl, onForeign, metrics, logger },
      verifyPeer: (owner) => verifier.verdict(owner),
    },
    identify: (owner) => verifier.verdictNow(owner),
    servicePart: (member, routes, close) => ({
      routes: allRoutes(routes, peerRoute(role, { ...group, instance: member.instance })),
      start: () => member.start(),
      stop: async () => {
        await member.stop()
        await verifier.close()
        await close()
        logger.info(`the ${role} has stopped`)
      },
    }),
  }
}
