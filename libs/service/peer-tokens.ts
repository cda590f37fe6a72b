import type { Caller, Principal } from '#access'
import { PeerTokens } from '#authentication'
import type { Config } from '#config'

/** Signs and proves what this service sends to others. Undefined: the services of the installation share no secret. */
export const peerTokens = ({ access, http }: Config): PeerTokens | undefined =>
  access.peerSecret === undefined
    ? undefined
    : new PeerTokens({ secret: access.peerSecret, ownUrl: http.advertisedUrl })

/** In whose name requests to other services are sent. A `PeerSender` of `#client`. */
export interface SignedSender {
  /** Differs if anything of the principal does. */
  readonly key: string
  headersFor(url: string): Promise<Readonly<Record<string, string>>>
}

/**
 * Signs each request to another service for the principal of the caller: a token is valid once, for one receiver, for a short time.
 * Nothing is signed for somebody who has proved nothing (`open`), because that would let him in where access is controlled.
 */
export function signedSender(
  tokens: Pick<PeerTokens, 'sign'> | undefined,
  { principal }: Pick<Caller, 'principal'>,
): SignedSender | undefined {
  if (tokens === undefined || principal.kind === 'open') return undefined
  return {
    key: keyOf(principal),
    headersFor: async (url) => ({ 'annals-peer': await tokens.sign(principal, url) }),
  }
}

const keyOf = ({ name, kind, roles, credentialId, expiresAtMs }: Principal): string =>
  JSON.stringify([name, kind, roles, credentialId, expiresAtMs])

/** Who answers at a URL, as proofs name it. */
export interface ProvenPeer {
  readonly clusterId: string
  readonly groupId: string
  readonly instance: string
  /** As advertised in the group. */
  readonly url: string
}

/** All of it is proved: an answer of another peer, or of the same one at another URL, proves nothing. */
export const provenText = ({ clusterId, groupId, instance, url }: ProvenPeer): string =>
  JSON.stringify([clusterId, groupId, instance, url])

/** Checks proofs for a `PeerCheck` of `#client`. */
export const proofCheck =
  (tokens: Pick<PeerTokens, 'checkProof'>) =>
  (proof: string, challenge: string, peer: ProvenPeer): Promise<boolean> =>
    tokens.checkProof(proof, challenge, provenText(peer))
