import { hkdfSync, randomBytes, webcrypto } from 'node:crypto'

import { type CryptoKey, errors, type JWTPayload, jwtVerify, type JWTVerifyOptions, SignJWT } from 'jose'

import type { Principal } from '#access'
import { InvalidInputError } from '#domain'
import type { EventStoreError } from '#event-store'

import { readPeerPrincipal } from './peer-principal.ts'
import { unauthenticated, unavailable } from './refusals.ts'
import { UsedTokens } from './used-tokens.ts'

export interface PeerTokensOptions {
  /** ANNALS_PEER_SECRET: at least 32 characters, the same in all services of an installation. */
  readonly secret: string
  /** The advertised URL of this service. Tokens for others are refused. */
  readonly ownUrl: string
  /** How many used tokens are remembered at a time; a token for about 36 seconds. Default 500,000. */
  readonly usedMax?: number
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

const lifetimeSeconds = 30
const toleranceSeconds = 5
const secretLengthMin = 32
const idLengthMax = 64
const tokenLengthMax = 16_384
/** jose compares whole seconds: a token may be accepted for almost one more. */
const rememberedMs = (lifetimeSeconds + toleranceSeconds + 1) * 1_000

const tokenType = 'annals-peer+jwt'
const proofType = 'annals-proof+jwt'

/**
 * What services of an installation tell each other, signed with their common secret: the principal of a forwarded request, and
 * proofs that they are peers. A token holds for 30 seconds, at one service, once.
 */
export class PeerTokens {
  readonly #tokenKey: Promise<CryptoKey>
  readonly #proofKey: Promise<CryptoKey>
  readonly #ownUrl: string
  readonly #now: () => number
  readonly #startedAtMs: number
  readonly #used: UsedTokens

  /** @throws InvalidInputError for a secret that is too short, or a URL that is none. */
  constructor({ secret, ownUrl, usedMax = 500_000, now = Date.now }: PeerTokensOptions) {
    if (secret.length < secretLengthMin)
      throw new InvalidInputError(
        'secret',
        `the peer secret must have at least ${secretLengthMin} characters`,
      )
    this.#tokenKey = derivedKey(secret, tokenType)
    this.#proofKey = derivedKey(secret, proofType)
    this.#ownUrl = audienceOf(ownUrl)
    this.#now = now
    this.#startedAtMs = now()
    this.#used = new UsedTokens(usedMax, now)
  }

  /** A token with which the service at a URL accepts a request of the principal. @throws InvalidInputError for a malformed URL or principal */
  async sign(principal: Principal, audienceUrl: string): Promise<string> {
    const claim = readPeerPrincipal(principal)
    if (claim === undefined)
      throw new InvalidInputError('principal', `a principal of kind ${principal.kind} cannot be forwarded`)
    return new SignJWT({ principal: claim })
      .setProtectedHeader({ alg: 'HS256', typ: tokenType })
      .setAudience(audienceOf(audienceUrl))
      .setJti(randomBytes(16).toString('base64url'))
      .setIssuedAt(this.#nowSeconds())
      .setExpirationTime(this.#nowSeconds() + lifetimeSeconds)
      .sign(await this.#tokenKey)
  }

  /**
   * The principal in whose name a peer has forwarded a request. Whether its credential still counts is for the caller to check.
   * @throws EventStoreError `unauthenticated` for a token that is forged, expired, used, malformed, or for another service;
   *   `unavailable` when it may have been used before: as no more can be remembered, or this process has just started.
   */
  async verify(token: string): Promise<Principal> {
    const { jti, iat = 0, principal: claim } = await this.#claimsOf(token)
    const principal = readPeerPrincipal(claim)
    if (principal === undefined || jti === undefined || jti.length > idLengthMax)
      throw unauthenticated('the peer token is malformed')
    this.#use(jti, Math.round(iat * 1_000))
    return principal
  }

  #use(id: string, issuedAtMs: number): void {
    if (issuedAtMs < this.#startedAtMs)
      throw unavailable('the peer token is older than this process: sign another one')
    switch (this.#used.use(id, issuedAtMs + rememberedMs)) {
      case 'new':
        return
      case 'used':
        throw unauthenticated('the peer token was used before')
      case 'full':
        throw unavailable('too many requests are forwarded to this service')
    }
  }

  /**
   * Proves to whoever asks with a challenge that this service is a peer.
   * @param challenge random text of the other side.
   * @param identity what this service is known as, e.g. its advertised URL.
   */
  async prove(challenge: string, identity: string): Promise<string> {
    return new SignJWT({ challenge })
      .setProtectedHeader({ alg: 'HS256', typ: proofType })
      .setSubject(identity)
      .setIssuedAt(this.#nowSeconds())
      .setExpirationTime(this.#nowSeconds() + lifetimeSeconds)
      .sign(await this.#proofKey)
  }

  /** Whether a peer with this identity has answered this challenge. Never rejects. */
  async checkProof(proof: string, challenge: string, identity: string): Promise<boolean> {
    if (proof.length > tokenLengthMax) return false
    try {
      const options = { ...this.#verifyOptions(proofType), subject: identity }
      const { payload } = await jwtVerify(proof, await this.#proofKey, options)
      return payload['challenge'] === challenge
    } catch {
      return false
    }
  }

  async #claimsOf(token: string): Promise<JWTPayload> {
    if (token.length > tokenLengthMax) throw unauthenticated('the peer token is malformed')
    try {
      const options = { ...this.#verifyOptions(tokenType), audience: this.#ownUrl }
      return (await jwtVerify(token, await this.#tokenKey, options)).payload
    } catch (error) {
      throw refusalOf(error)
    }
  }

  #verifyOptions(typ: string): JWTVerifyOptions {
    return {
      algorithms: ['HS256'],
      typ,
      currentDate: new Date(this.#now()),
      clockTolerance: toleranceSeconds,
      maxTokenAge: lifetimeSeconds,
      requiredClaims: ['exp'],
    }
  }

  #nowSeconds(): number {
    return this.#now() / 1_000
  }
}

/** A key for each purpose: a proof is never a token (RFC 5869). Imported once: jose would do it for each token. */
function derivedKey(secret: string, purpose: string): Promise<CryptoKey> {
  const bytes = hkdfSync('sha256', secret, '', purpose, 32)
  return webcrypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ])
}

function audienceOf(url: string): string {
  if (!URL.canParse(url)) throw new InvalidInputError('url', 'the URL of a service must be absolute')
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`.replace(/\/+$/, '')
}

function refusalOf(error: unknown): EventStoreError {
  if (error instanceof errors.JWTExpired) return unauthenticated('the peer token has expired')
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return unauthenticated(
      'the peer token is not signed by a peer: all services need the same ANNALS_PEER_SECRET',
    )
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud')
    return unauthenticated('the peer token is for another service')
  return unauthenticated('the peer token is malformed')
}
