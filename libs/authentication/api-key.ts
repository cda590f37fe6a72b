import { hash, randomBytes } from 'node:crypto'

import { type KeyEntry, parsePrincipalName } from '#access'
import { InvalidInputError, quote } from '#domain'

const prefix = 'annals_'
const base32 = 'abcdefghijklmnopqrstuvwxyz234567'
const idLength = 16
const secretStart = prefix.length + idLength + 1
const secretBytes = 32
const secretLength = 43
const keyLength = secretStart + secretLength

/** Who a new key is for. */
export interface NewApiKey {
  /** Name of the principal: 1 to 200 printable characters without white space. */
  readonly name: string
  readonly roles: readonly string[]
  /** ISO 8601, later than now. Absent: the key does not expire. */
  readonly expiresAt?: string
}

/**
 * Creates an API key from 256 random bits. `key` is shown once and stored nowhere; `entry` goes into the access document.
 * @throws InvalidInputError for a name that no principal can have, and for a time that is malformed or over.
 */
export function newApiKey(
  { name, roles, expiresAt }: NewApiKey,
  now: () => number = Date.now,
): { readonly entry: KeyEntry; readonly key: string } {
  parsePrincipalName(name, 'name')
  const expiry = expiresAt === undefined ? {} : { expiresAt: laterThan(now(), expiresAt) }
  const id = randomId()
  const secret = randomBytes(secretBytes).toString('base64url')
  const createdAt = new Date(now()).toISOString()
  return {
    entry: { id, name, roles: [...roles], hash: hashOfSecret(secret).toString('hex'), createdAt, ...expiry },
    key: `${prefix}${id}_${secret}`,
  }
}

function laterThan(nowMs: number, time: string): string {
  const ms = Date.parse(time)
  if (Number.isNaN(ms))
    throw new InvalidInputError(
      'expiresAt',
      `${quote(time)} is not a time: expected e.g. 2030-01-31T00:00:00Z`,
    )
  if (ms <= nowMs) throw new InvalidInputError('expiresAt', `${quote(time)} is over: expected a later time`)
  return new Date(ms).toISOString()
}

/** 256 is a multiple of 32: each character is equally probable. */
const randomId = (): string => Array.from(randomBytes(idLength), (byte) => base32.charAt(byte % 32)).join('')

/** SHA-256 of the secret's characters. The secret is random, so a slow hash would protect nothing more. */
export const hashOfSecret = (secret: string): Buffer => hash('sha256', secret, 'buffer')

/** Whether a credential claims to be an API key. */
export const looksLikeApiKey = (text: string): boolean => text.startsWith(prefix)

/** The parts of an API key; undefined if it is malformed. Cheap: it reads positions, not patterns. */
export function partsOfApiKey(text: string): { readonly id: string; readonly secret: string } | undefined {
  if (text.length !== keyLength || !looksLikeApiKey(text) || text[secretStart - 1] !== '_') return undefined
  return { id: text.slice(prefix.length, secretStart - 1), secret: text.slice(secretStart) }
}
