import type { Logger } from 'pino'
import type { Registry } from 'prom-client'

import type { Caller } from '#access'
import { InvalidInputError } from '#domain'
import type { HttpRoutes } from '#http'
import type { GroupMembershipOptions, VerifyPeer } from '#kafka'

import type { Backends } from './backends.ts'
import { reportForeign } from './foreign-members.ts'
import { allRoutes, peerPath, peerRoute, type PeerRole } from './peer-route.ts'
import { peerTls, type PeerTls } from './peer-tls.ts'
import { peerUrls } from './peer-urls.ts'
import { peerTokens, proofCheck, type ProvenPeer, signedSender, type SignedSender } from './peer-tokens.ts'
import type { ServiceParts } from './run-service.ts'
import type { ServicePart } from './serve.ts'

/** What every instance that owns partitions is built from. */
export interface MemberParts
  extends
    Pick<Backends, 'cluster' | 'redis' | 'codec' | 'domain' | 'topics'>,
    Required<Pick<GroupMembershipOptions, 'advertisedUrl' | 'verifyPeer' | 'onForeign'>>,
    Pick<GroupMembershipOptions, 'checkPeerUrl'> {
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

interface VerifierOptions {
  /** Whether the process at the URL of a member knows the secret of the installation. Absent: there is none. */
  readonly checkProof?: (proof: string, challenge: string, peer: ProvenPeer) => Promise<boolean>
  readonly tls?: PeerTls
}

/** @param path at which the members of the group identify themselves */
type PeerVerifierClass = new (
  path: string,
  group: { readonly clusterId: string; readonly groupId: string },
  options: VerifierOptions,
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
  /** For connections to other members. */
  readonly tls: PeerTls | undefined
  /** Signs requests that are forwarded in the name of a caller. Undefined: they are not signed. */
  senderOf(caller: Caller): SignedSender | undefined
  /**
   * The routes and the life of the instance. Its stop leaves the backends open.
   * @param close closes what the instance alone has used, after it has stopped
   */
  servicePart(member: Member, routes: HttpRoutes, close: () => unknown): ServicePart
}

/**
 * Prepares an instance of a service to join its group: it verifies the other members, and proves its own address to
 * them at `/peers/<role>`.
 * @throws InvalidInputError if its own address is not one that the members may have; ConfigError if ANNALS_PEER_CA_FILE cannot be used
 */
export function groupMember(
  role: PeerRole,
  groupId: string,
  { config, backends, metrics, logger }: ServiceParts,
  Verifier: PeerVerifierClass,
): GroupMember {
  const group = { clusterId: backends.cluster.clusterId, groupId }
  const tokens = peerTokens(config)
  const tls = peerTls(config)
  const verifier = new Verifier(peerPath(role), group, {
    ...(tokens && { checkProof: proofCheck(tokens) }),
    ...(tls && { tls }),
  })
  const { advertisedUrl } = config.http
  const checkPeerUrl = peerUrls(config)
  refuseOwnUrl(checkPeerUrl(advertisedUrl), advertisedUrl)
  const onForeign = reportForeign(role, metrics, logger)
  return {
    parts: {
      ...backends,
      ...{ advertisedUrl, checkPeerUrl, onForeign, metrics, logger },
      verifyPeer: (owner) => verifier.verdict(owner),
    },
    identify: (owner) => verifier.verdictNow(owner),
    tls,
    senderOf: (caller) => signedSender(tokens, caller),
    servicePart: (member, routes, close) => ({
      routes: allRoutes(
        routes,
        peerRoute(role, { ...group, instance: member.instance, url: advertisedUrl }, tokens),
      ),
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

function refuseOwnUrl(problem: string | undefined, url: string): void {
  if (problem === undefined) return
  throw new InvalidInputError(
    'ANNALS_ADVERTISED_URL',
    `other services would not use the URL of this one, ${url}: ${problem}. Change ANNALS_ADVERTISED_URL or ANNALS_PEER_HOSTS`,
  )
}
