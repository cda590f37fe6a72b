import { timingSafeEqual } from 'node:crypto'

import type { AccessDocument, Caller, ClientCertificate, Credentials, Principal } from '#access'

import { AccessIndex, type KnownKey, noHash } from './access-index.ts'
import { hashOfSecret, looksLikeApiKey, partsOfApiKey } from './api-key.ts'
import { CheckedCaller } from './checked-caller.ts'
import type { JwtVerifier } from './jwt-verifier.ts'
import type { PeerTokens } from './peer-tokens.ts'
import { unauthenticated, unavailable } from './refusals.ts'
import { standingOf } from './standing.ts'

export interface AuthenticatorOptions {
  /** The current document: another object after each change. Undefined as long as none was ever read. */
  readonly access: () => AccessDocument | undefined
  /** Without it, no JSON Web Tokens are accepted. */
  readonly jwt?: JwtVerifier
  /** Without it, no forwarded requests are accepted. */
  readonly peers?: PeerTokens
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

const bearer = 'bearer '

/**
 * Finds out who sends a request. Exactly one credential counts: the peer token of a forwarded request, or the header
 * `authorization`, or, if there is neither, the client certificate.
 */
export class Authenticator {
  readonly #access: () => AccessDocument | undefined
  readonly #jwt: JwtVerifier | undefined
  readonly #peers: PeerTokens | undefined
  readonly #now: () => number
  readonly #current = (): AccessIndex | undefined => this.#indexOfDocument()
  #index: AccessIndex | undefined

  constructor({ access, jwt, peers, now = Date.now }: AuthenticatorOptions) {
    this.#access = access
    this.#jwt = jwt
    this.#peers = peers
    this.#now = now
  }

  /**
   * API keys and certificates are checked at once, and refused by throwing at once; tokens are checked in a promise.
   * @throws EventStoreError `unauthenticated` for a credential that is missing, malformed, doubled, wrong, expired or revoked;
   *   `unavailable` when there is nothing to check it with.
   */
  authenticate({ authorization, peer, certificate }: Credentials): Caller | Promise<Caller> {
    if (authorization.length + peer.length > 1)
      throw unauthenticated('the request has several credentials: send exactly one')
    const [header] = authorization
    if (header !== undefined) return this.#byAuthorization(header)
    const [peerToken] = peer
    if (peerToken !== undefined) return this.#byPeer(peerToken)
    if (certificate !== undefined) return this.#byCertificate(certificate)
    throw unauthenticated(
      'the request has no credential: send the header authorization with Bearer and an API key or a token, or a client certificate',
    )
  }

  #byAuthorization(header: string): Caller | Promise<Caller> {
    if (header.slice(0, bearer.length).toLowerCase() !== bearer)
      throw unauthenticated(
        'the header authorization is malformed: expected Bearer, a space, and an API key or a JSON Web Token',
      )
    const credential = header.slice(bearer.length)
    return looksLikeApiKey(credential) ? this.#byKey(credential) : this.#byJwt(credential)
  }

  #byKey(text: string): Caller {
    const parts = partsOfApiKey(text)
    if (parts === undefined)
      throw unauthenticated('the API key is malformed: copy it again, from annals_ to its end')
    const index = this.#needIndex()
    const key = index.key(parts.id)
    // Unknown ids cost as much as wrong secrets, and get the same answer.
    const isRight = timingSafeEqual(hashOfSecret(parts.secret), key?.hash ?? noHash)
    if (key === undefined || !isRight) throw unauthenticated('the API key is not valid')
    this.#refuseEnded(key)
    return this.#caller(index, {
      name: key.entry.name,
      kind: 'key',
      roles: key.entry.roles,
      credentialId: key.entry.id,
      ...expiry(key.expiresAtMs),
    })
  }

  /** Only who has the secret learns that a key has ended. */
  #refuseEnded({ entry, expiresAtMs }: KnownKey): void {
    if (entry.revokedAt !== undefined) throw unauthenticated(`the API key ${entry.id} was revoked`)
    if (expiresAtMs !== undefined && this.#now() >= expiresAtMs)
      throw unauthenticated(`the API key ${entry.id} has expired`)
  }

  #byJwt(token: string): Promise<Caller> {
    if (this.#jwt === undefined)
      throw unauthenticated(
        'the credential is not an API key, and this installation accepts no JSON Web Tokens',
      )
    this.#needIndex()
    return this.#jwt.verify(token).then((principal) => this.#caller(this.#needIndex(), principal))
  }

  #byCertificate({ commonName, fingerprint, expiresAtMs }: ClientCertificate): Caller {
    const index = this.#needIndex()
    if (this.#now() >= expiresAtMs) throw unauthenticated('the client certificate has expired')
    const entry = index.certificate(commonName)
    if (entry === undefined) throw unauthenticated('the client certificate is not listed')
    const { name, roles } = entry
    const principal = { name, kind: 'certificate', roles, credentialId: fingerprint, expiresAtMs } as const
    return this.#caller(index, principal, { commonName })
  }

  #byPeer(token: string): Promise<Caller> {
    if (this.#peers === undefined)
      throw unauthenticated('this service accepts no forwarded requests: ANNALS_PEER_SECRET is not set')
    this.#needIndex()
    return this.#peers.verify(token).then((principal) => this.#forwarded(principal))
  }

  /** The key or certificate must count here too: a revoked one does not get in by way of a service that does not know yet. */
  #forwarded(principal: Principal): Caller {
    const index = this.#needIndex()
    const standing = standingOf(index, principal)
    if ('ended' in standing) throw unauthenticated(`the request was forwarded, but ${standing.ended}`)
    if (standing.expiresAtMs !== undefined && this.#now() >= standing.expiresAtMs)
      throw unauthenticated('the request was forwarded, but the credential has expired')
    const { name, kind, credentialId } = principal
    const current = {
      name,
      kind,
      roles: standing.roles,
      ...(credentialId === undefined ? {} : { credentialId }),
      ...expiry(standing.expiresAtMs),
    }
    return this.#caller(index, current, { isForwarded: kind !== 'peer' })
  }

  #caller(
    index: AccessIndex,
    principal: Principal,
    { isForwarded = false, ...rest }: { readonly isForwarded?: boolean; readonly commonName?: string } = {},
  ): Caller {
    return new CheckedCaller({
      principal,
      isForwarded,
      index,
      current: this.#current,
      now: this.#now,
      ...rest,
    })
  }

  #needIndex(): AccessIndex {
    const index = this.#indexOfDocument()
    if (index === undefined)
      throw unavailable('keys and roles have not been read yet: nobody is admitted until they are')
    return index
  }

  #indexOfDocument(): AccessIndex | undefined {
    const document = this.#access()
    if (document === undefined) return undefined
    if (this.#index?.document !== document) this.#index = new AccessIndex(document)
    return this.#index
  }
}

const expiry = (expiresAtMs: number | undefined): { readonly expiresAtMs?: number } =>
  expiresAtMs === undefined ? {} : { expiresAtMs }
