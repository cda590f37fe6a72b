import { errors, type JWTPayload, jwtVerify } from 'jose'

import type { Principal } from '#access'
import { InvalidInputError, quote } from '#domain'
import { EventStoreError } from '#event-store'

import { fetchKeys } from './fetch-keys.ts'
import { IssuerKeys, type KeysFetched } from './issuer-keys.ts'
import { principalOfClaims } from './jwt-claims.ts'
import { unauthenticated } from './refusals.ts'

/** The settings ANNALS_JWT_…, and limits that have defaults. */
export interface JwtVerifierOptions {
  readonly jwksUrl: string
  readonly issuer: string
  readonly audience: string
  /** Asymmetric ones only. */
  readonly algorithms: readonly string[]
  readonly clockToleranceMs: number
  /** How long keys are used before they are fetched again. */
  readonly cacheMs: number
  readonly nameClaim: string
  readonly rolesClaim: string
  /** How much longer the previous keys stay in force while new ones cannot be fetched. Default one hour. */
  readonly graceMs?: number
  /** Between two requests for keys, for whatever reason. Default 5,000. */
  readonly cooldownMs?: number
  /** Of one request for keys. Default 5,000. */
  readonly timeoutMs?: number
  /** Of one answer with keys. Default 1 MiB. */
  readonly keysBytesMax?: number
  /** Called after each request for keys. */
  readonly onFetch?: (outcome: KeysFetched) => void
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

const asymmetric = /^([RP]S(256|384|512)|ES(256|384|512)|EdDSA)$/
const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/
const tokenLengthMax = 16_384

/** Checks JSON Web Tokens (RFC 7519) against the public keys that their issuer publishes (RFC 7517). */
export class JwtVerifier {
  readonly #options: JwtVerifierOptions
  readonly #keys: IssuerKeys
  readonly #now: () => number

  /** @throws InvalidInputError for an algorithm that is not asymmetric: anyone can sign with a public key as a shared secret. */
  constructor(options: JwtVerifierOptions) {
    const { jwksUrl, algorithms, now = Date.now, timeoutMs = 5_000, keysBytesMax = 1_048_576 } = options
    const other = algorithms.find((algorithm) => !asymmetric.test(algorithm))
    if (other !== undefined || algorithms.length === 0)
      throw new InvalidInputError('algorithms', `${quote(other)} is not an asymmetric algorithm, e.g. RS256`)
    this.#options = options
    this.#now = now
    this.#keys = new IssuerKeys({
      fetch: () => fetchKeys(jwksUrl, { timeoutMs, bytesMax: keysBytesMax }),
      cacheMs: options.cacheMs,
      graceMs: options.graceMs ?? 3_600_000,
      cooldownMs: options.cooldownMs ?? 5_000,
      now,
      ...(options.onFetch === undefined ? {} : { onFetch: options.onFetch }),
    })
  }

  /** @throws EventStoreError `unauthenticated`; `unavailable` when the keys of the issuer are not known. */
  async verify(token: string): Promise<Principal> {
    if (token.length > tokenLengthMax || !compact.test(token)) throw malformed()
    return principalOfClaims(await this.#claimsOf(token), this.#options)
  }

  async #claimsOf(token: string): Promise<JWTPayload> {
    const { issuer, audience, algorithms, clockToleranceMs } = this.#options
    try {
      const { payload } = await jwtVerify(token, this.#keys.find, {
        issuer,
        audience,
        algorithms: [...algorithms],
        clockTolerance: clockToleranceMs / 1000,
        currentDate: new Date(this.#now()),
        requiredClaims: ['exp'],
      })
      return payload
    } catch (error) {
      if (error instanceof EventStoreError) throw error
      throw refusalOf(error)
    }
  }
}

const malformed = () =>
  unauthenticated('the credential is malformed: expected an API key or a JSON Web Token')

/** The error of jose holds the claims of the token: it goes no further. */
function refusalOf(error: unknown): EventStoreError {
  if (error instanceof errors.JWTExpired) return unauthenticated('the token has expired')
  if (error instanceof errors.JWTClaimValidationFailed) return refusalOfClaim(error.claim)
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return unauthenticated('the token is signed with an algorithm that is not accepted')
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return malformed()
  return unauthenticated('the token is not signed with a key of the issuer')
}

function refusalOfClaim(claim: string): EventStoreError {
  switch (claim) {
    case 'iss':
      return unauthenticated('the token is from another issuer')
    case 'aud':
      return unauthenticated('the token is for another audience')
    case 'nbf':
      return unauthenticated('the token is not valid yet')
    default:
      return unauthenticated(`the token has no valid claim ${claim}`)
  }
}
