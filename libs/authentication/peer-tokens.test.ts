import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'

import type { Principal } from '#access'
import { InvalidInputError } from '#domain'

import { PeerTokens } from './peer-tokens.ts'

const secret = 'a secret of more than thirty-two characters'
const ownUrl = 'http://writer-1:8080'
const ada: Principal = {
  name: 'ada',
  kind: 'key',
  roles: ['reader'],
  credentialId: 'aaaabbbbccccdddd',
  expiresAtMs: 1_900_000_000_000,
}

/** Two peers with a common clock, in milliseconds since the first began. */
function peers(options: { readonly usedMax?: number } = {}) {
  const clock = { ms: 1_800_000_000_123 }
  const now = () => clock.ms
  const other = new PeerTokens({ secret, ownUrl: 'http://writer-2:8080', now })
  const own = new PeerTokens({ secret, ownUrl, now, ...options })
  return { clock, now, own, other }
}

const refused = (code: string, message: RegExp): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string })

describe('a peer token', () => {
  test('carries the whole principal', async () => {
    const { own, other } = peers()
    expect(await own.verify(await other.sign(ada, ownUrl))).toEqual(ada)
    const service: Principal = { name: 'annals:projector', kind: 'peer', roles: ['operator'] }
    expect(await own.verify(await other.sign(service, ownUrl))).toEqual(service)
  })

  test('holds for the URL however it is written', async () => {
    const { own, other } = peers()
    expect(await own.verify(await other.sign(ada, 'HTTP://Writer-1:8080/'))).toEqual(ada)
  })

  test('is accepted once', async () => {
    const { own, other, clock } = peers()
    const token = await other.sign(ada, ownUrl)
    await own.verify(token)
    for (const seconds of [0, 1, 29, 30, 34, 35, 36, 37, 60]) {
      clock.ms = 1_800_000_000_123 + seconds * 1000
      await expect(own.verify(token)).rejects.toEqual(refused('unauthenticated', /used before|expired/))
    }
  })

  test('is accepted once when it comes many times at the same moment', async () => {
    const { own, other } = peers()
    const token = await other.sign(ada, ownUrl)
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => own.verify(token)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('used late, it is still known until it has expired', async () => {
    const { own, other, clock } = peers()
    const token = await other.sign(ada, ownUrl)
    clock.ms += 34_900
    await own.verify(token)
    for (let step = 0; step < 50; step++) {
      clock.ms += 100
      await expect(own.verify(token)).rejects.toEqual(refused('unauthenticated', /used before|expired/))
    }
  })

  test('expires after 30 seconds and a tolerance of five', async () => {
    const { own, other, clock } = peers()
    const token = await other.sign(ada, ownUrl)
    clock.ms += 36_000
    await expect(own.verify(token)).rejects.toEqual(refused('unauthenticated', /expired/))
  })

  test('is refused by others than the one it is for', async () => {
    const { own, other } = peers()
    const token = await other.sign(ada, 'http://writer-3:8080')
    await expect(own.verify(token)).rejects.toEqual(refused('unauthenticated', /another service/))
  })

  test('is refused when it is older than the process, which may have used it before', async () => {
    const { other, now, clock } = peers()
    const token = await other.sign(ada, ownUrl)
    clock.ms += 1
    const restarted = new PeerTokens({ secret, ownUrl, now })
    await expect(restarted.verify(token)).rejects.toEqual(refused('unavailable', /older than this process/))
    expect(await restarted.verify(await other.sign(ada, ownUrl))).toEqual(ada)
  })

  test('is refused when no more can be remembered, and none is forgotten', async () => {
    const { own, other, clock } = peers({ usedMax: 2 })
    const first = await other.sign(ada, ownUrl)
    await own.verify(first)
    await own.verify(await other.sign(ada, ownUrl))
    await expect(own.verify(await other.sign(ada, ownUrl))).rejects.toEqual(
      refused('unavailable', /too many/),
    )
    await expect(own.verify(first)).rejects.toEqual(refused('unauthenticated', /used before/))
    clock.ms += 60_000
    expect(await own.verify(await other.sign(ada, ownUrl))).toEqual(ada)
  })

  test('is forged by nobody with another secret', async () => {
    const { own, now } = peers()
    const foreign = new PeerTokens({ secret: secret.toUpperCase(), ownUrl, now })
    await expect(own.verify(await foreign.sign(ada, ownUrl))).rejects.toEqual(
      refused('unauthenticated', /not signed by a peer/),
    )
  })

  test.each([
    ['nothing', ''],
    ['a word', 'token'],
    ['an API key', `annals_${'a'.repeat(16)}_${'b'.repeat(43)}`],
    ['a lot', 'x'.repeat(1_000_000)],
    [
      'a token without a signature',
      `${Buffer.from('{"alg":"none","typ":"annals-peer+jwt"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`,
    ],
  ])('%s is malformed', async (_, token) => {
    await expect(peers().own.verify(token)).rejects.toEqual(refused('unauthenticated', /malformed/))
  })

  test('signed with the secret itself instead of its key, it is refused', async () => {
    const { own, clock } = peers()
    const token = await new SignJWT({ principal: ada })
      .setProtectedHeader({ alg: 'HS256', typ: 'annals-peer+jwt' })
      .setAudience(ownUrl)
      .setJti('1')
      .setIssuedAt(clock.ms / 1000)
      .setExpirationTime(clock.ms / 1000 + 30)
      .sign(new TextEncoder().encode(secret))
    await expect(own.verify(token)).rejects.toEqual(refused('unauthenticated', /not signed/))
  })

  test('names nobody of an open installation, and no malformed principal', async () => {
    const { other } = peers()
    for (const wrong of [
      { ...ada, kind: 'open' as const },
      { ...ada, name: 'a b' },
      { ...ada, roles: [''] },
      { ...ada, expiresAtMs: Number.NaN },
    ])
      await expect(other.sign(wrong, ownUrl)).rejects.toBeInstanceOf(InvalidInputError)
    await expect(other.sign(ada, 'writer-1')).rejects.toBeInstanceOf(InvalidInputError)
  })

  test('needs a secret that nobody guesses', () => {
    expect(() => new PeerTokens({ secret: 'x'.repeat(31), ownUrl })).toThrow(InvalidInputError)
  })
})

describe('a proof', () => {
  const challenge = 'random text of the other side'

  test('holds for its challenge and identity', async () => {
    const { own, other } = peers()
    expect(await other.checkProof(await own.prove(challenge, ownUrl), challenge, ownUrl)).toBe(true)
  })

  test('holds for no other challenge, identity, secret or time', async () => {
    const { own, other, clock, now } = peers()
    const proof = await own.prove(challenge, ownUrl)
    const foreign = new PeerTokens({ secret: secret.toUpperCase(), ownUrl, now })
    expect(await other.checkProof(proof, 'another challenge', ownUrl)).toBe(false)
    expect(await other.checkProof(proof, challenge, 'http://evil:8080')).toBe(false)
    expect(await foreign.checkProof(proof, challenge, ownUrl)).toBe(false)
    clock.ms += 36_000
    expect(await other.checkProof(proof, challenge, ownUrl)).toBe(false)
  })

  test('is no token, and a token is no proof', async () => {
    const { own, other } = peers()
    await expect(own.verify(await other.prove(challenge, ownUrl))).rejects.toEqual(
      refused('unauthenticated', /not signed|malformed/),
    )
    expect(await own.checkProof(await other.sign(ada, ownUrl), challenge, ownUrl)).toBe(false)
  })

  test.each(['', 'x', 'a.b.c', 'x'.repeat(100_000)])('%.10s proves nothing', async (text) => {
    expect(await peers().own.checkProof(text, challenge, ownUrl)).toBe(false)
  })
})
