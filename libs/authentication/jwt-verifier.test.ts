import { exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { InvalidInputError } from '#domain'
import { EventStoreError } from '#event-store'

import { JwtVerifier, type JwtVerifierOptions } from './jwt-verifier.ts'
import { TokenIssuer } from './testing/index.ts'

const nowMs = Date.parse('2026-03-01T00:00:00Z')
const seconds = nowMs / 1000

let issuer: TokenIssuer
beforeAll(async () => {
  issuer = await TokenIssuer.start()
})
afterAll(() => issuer.stop())

const verifier = (options: Partial<JwtVerifierOptions> = {}): JwtVerifier =>
  new JwtVerifier({
    jwksUrl: issuer.jwksUrl,
    issuer: issuer.issuer,
    audience: issuer.audience,
    algorithms: ['RS256', 'ES256', 'EdDSA'],
    clockToleranceMs: 5_000,
    cacheMs: 600_000,
    nameClaim: 'sub',
    rolesClaim: 'roles',
    now: () => nowMs,
    ...options,
  })

/** The error goes no further than its sentence: that of jose holds the claims. */
const refused = (message: RegExp): unknown =>
  expect.toSatisfy(
    (error) =>
      error instanceof EventStoreError &&
      error.code === 'unauthenticated' &&
      error.cause === undefined &&
      message.test(error.message),
    `unauthenticated, ${message.source}`,
  )

describe('a token', () => {
  test('names its principal, with roles and expiry', async () => {
    const token = await issuer.token({ sub: 'ada', roles: ['reader', 'service', 'reader'] }, nowMs)
    expect(await verifier().verify(token)).toEqual({
      name: 'ada',
      kind: 'jwt',
      roles: ['reader', 'service'],
      expiresAtMs: nowMs + 300_000 + 5_000,
    })
  })

  test.each([
    ['text with spaces', { scope: 'reader  service ' }, 'scope', ['reader', 'service']],
    ['nested', { realm_access: { roles: ['reader'] } }, 'realm_access.roles', ['reader']],
    ['a name with dots', { 'https://a.example/roles': ['reader'] }, 'https://a.example/roles', ['reader']],
    ['absent', {}, 'realm_access.roles', []],
    ['absent, of a name that every object has', {}, 'constructor.name', []],
    ['absent, of a name that every object inherits', { a: {} }, 'a.__proto__', []],
    ['null', { roles: null }, 'roles', []],
  ])('has its roles in a claim: %s', async (_, claims, rolesClaim, roles) => {
    const token = await issuer.token({ sub: 'ada', ...claims }, nowMs)
    expect((await verifier({ rolesClaim }).verify(token)).roles).toEqual(roles)
  })

  test('has its name in another claim', async () => {
    const token = await issuer.token({ sub: '1', preferred_username: 'ada' }, nowMs)
    expect((await verifier({ nameClaim: 'preferred_username' }).verify(token)).name).toBe('ada')
  })

  test('may be a little too old or too new, as clocks differ', async () => {
    const times = { sub: 'ada', nbf: seconds + 5, exp: seconds - 4 }
    const token = await issuer.token(times, nowMs)
    expect(await verifier().verify(token)).toMatchObject({ expiresAtMs: nowMs + 1_000 })
  })

  test('needs no key id if the issuer has one key', async () => {
    const token = await issuer.token({ sub: 'ada' }, nowMs, { kid: undefined })
    expect((await verifier().verify(token)).name).toBe('ada')
  })

  test.each([
    ['expired', { exp: seconds - 5 }, /has expired/],
    ['without expiry', { exp: undefined }, /no valid claim exp/],
    ['with a text as expiry', { exp: '2030' as unknown as number }, /no valid claim exp/],
    ['with an expiry after the end of time', { exp: 1e300 }, /no valid expiry/],
    ['not valid yet', { nbf: seconds + 6 }, /not valid yet/],
    ['of another issuer', { iss: 'https://evil.example' }, /another issuer/],
    ['of no issuer', { iss: undefined }, /another issuer/],
    ['for another audience', { aud: ['billing', 'annals-test'] }, /another audience/],
    ['for no audience', { aud: undefined }, /another audience/],
    ['without a name', { sub: undefined }, /names no principal/],
    ['with an empty name', { sub: '' }, /names no principal/],
    ['with white space in the name', { sub: 'ada lovelace' }, /names no principal/],
    ['with invisible characters in the name', { sub: 'ada\u202e' }, /names no principal/],
    ['with a name of 201 characters', { sub: 'a'.repeat(201) }, /names no principal/],
    ['with a number as name', { sub: 42 as unknown as string }, /names no principal/],
    ['with the name of a service', { sub: 'annals:writer' }, /names no principal/],
    ['with roles in an object', { roles: { reader: true } }, /roles of the token/],
    ['with a number among the roles', { roles: ['reader', 1] }, /roles of the token/],
    ['with an empty role', { roles: [''] }, /roles of the token/],
    ['with a role of 201 characters', { roles: ['r'.repeat(201)] }, /roles of the token/],
    ['with 201 roles', { roles: Array.from({ length: 201 }, (_, i) => `r${i}`) }, /roles of the token/],
    ['of more than 16 KiB', { padding: 'x'.repeat(16_384) }, /malformed/],
    ['of an unknown key', {}, /not signed with a key/, { kid: 'other' }],
  ])('%s is refused', async (_, claims: object, message: RegExp, header: { kid?: string } = {}) => {
    const token = await issuer.token({ sub: 'ada', ...claims }, nowMs, header)
    await expect(verifier().verify(token)).rejects.toEqual(refused(message))
  })

  test('altered in its claims or signature is refused', async () => {
    const [header = '', , signature = ''] = (await issuer.token({ sub: 'ada' }, nowMs)).split('.')
    const claims = { iss: issuer.issuer, aud: issuer.audience, sub: 'root', exp: seconds + 300 }
    const forged = `${header}.${base64(claims)}.${signature}`
    await expect(verifier().verify(forged)).rejects.toEqual(refused(/not signed with a key/))
  })

  test('of another key with the id of a right one is refused', async () => {
    const foreign = await TokenIssuer.start()
    const token = await foreign.token({ sub: 'root' }, nowMs)
    await foreign.stop()
    await expect(verifier().verify(token)).rejects.toEqual(refused(/not signed with a key/))
  })
})

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('algorithms', () => {
  const claims = () => ({ iss: issuer.issuer, aud: issuer.audience, sub: 'root', exp: seconds + 300 })

  test.each(['none', 'None', ''])('%s is refused, and no keys are asked for', async (alg) => {
    const before = issuer.requests
    const token = `${base64({ alg })}.${base64(claims())}.`
    await expect(verifier().verify(token)).rejects.toEqual(refused(/algorithm|malformed/))
    expect(issuer.requests).toBe(before)
  })

  test('HS256 with the public key as the secret is refused', async () => {
    const pair = await generateKeyPair('RS256', { extractable: true })
    for (const secret of [
      await exportSPKI(pair.publicKey),
      JSON.stringify((await issuer.publicKeys()).keys[0]),
    ]) {
      const token = await new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
        .sign(new TextEncoder().encode(secret))
      await expect(verifier().verify(token)).rejects.toEqual(refused(/algorithm/))
    }
  })

  test('one that is not in the settings is refused', async () => {
    const token = await issuer.token({ sub: 'ada' }, nowMs)
    await expect(verifier({ algorithms: ['RS256'] }).verify(token)).rejects.toEqual(refused(/algorithm/))
  })

  test.each([[['HS256']], [['none']], [['RS256', 'HS512']], [[]]])('%j cannot be set', (algorithms) => {
    expect(() => verifier({ algorithms })).toThrow(InvalidInputError)
  })

  test.each(['RS256', 'PS256', 'ES384', 'EdDSA'])('%s is accepted when set', async (algorithm) => {
    const other = await TokenIssuer.start(algorithm)
    const token = await other.token({ sub: 'ada' }, nowMs)
    const options = { jwksUrl: other.jwksUrl, algorithms: [algorithm] }
    expect((await verifier(options).verify(token)).name).toBe('ada')
    await other.stop()
  })
})

describe('malformed tokens', () => {
  test.each([
    ['nothing', ''],
    ['a word', 'token'],
    ['two parts', 'eyJh.eyJh'],
    ['five parts (encrypted)', 'a.b.c.d.e'],
    ['no JSON', 'a.b.c'],
    ['a comma', 'a.b.c,a.b.c'],
    ['white space', 'a.b. c'],
    ['a lot', `${'a'.repeat(100_000)}.b.c`],
    ['an unknown critical header', `${base64({ alg: 'ES256', crit: ['x'], x: 1 })}.${base64({})}.c`],
  ])('%s is refused, and no keys are asked for', async (_, token) => {
    const before = issuer.requests
    await expect(verifier().verify(token)).rejects.toEqual(refused(/malformed|algorithm/))
    expect(issuer.requests).toBe(before)
  })
})
