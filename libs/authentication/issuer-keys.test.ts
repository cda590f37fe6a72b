import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { JwtVerifier, type JwtVerifierOptions } from './jwt-verifier.ts'
import { type IssuerMood, TokenIssuer } from './testing/index.ts'

const startMs = Date.parse('2026-03-01T00:00:00Z')
const cacheMs = 600_000
const graceMs = 3_600_000
const cooldownMs = 5_000

let issuer: TokenIssuer
let nowMs: number
beforeEach(async () => {
  issuer = await TokenIssuer.start()
  nowMs = startMs
})
afterEach(() => issuer.stop())

const verifier = (options: Partial<JwtVerifierOptions> = {}): JwtVerifier =>
  new JwtVerifier({
    jwksUrl: issuer.jwksUrl,
    issuer: issuer.issuer,
    audience: issuer.audience,
    algorithms: ['ES256'],
    clockToleranceMs: 0,
    cacheMs,
    nameClaim: 'sub',
    rolesClaim: 'roles',
    now: () => nowMs,
    ...options,
  })

const token = (header: { readonly kid?: string } = {}) => issuer.token({ sub: 'ada' }, nowMs, header)

const unavailable: unknown = expect.objectContaining({
  code: 'unavailable',
  details: { retryAfterSeconds: 1 },
})
const unauthenticated: unknown = expect.objectContaining({ code: 'unauthenticated' })

/** Only those who wait in vain need an early end. */
const timeoutFor = (mood: IssuerMood | 'away') =>
  mood === 'slow' || mood === 'dripping' ? { timeoutMs: 200 } : {}

const troubles: readonly [IssuerMood | 'away', RegExp][] = [
  ['away', /ECONNREFUSED/],
  ['slow', /aborted|timeout/],
  ['dripping', /aborted|timeout/],
  ['failing', /status 500/],
  ['redirecting', /status 302/],
  ['empty', /no public key/],
  ['encryption only', /no public key/],
  ['shared secrets', /no public key/],
  ['not a key set', /not a JSON Web Key Set/],
  ['not JSON', /not JSON/],
  ['10 MB', /more than 1048576 bytes/],
]

async function trouble(mood: IssuerMood | 'away'): Promise<void> {
  if (mood === 'away') await issuer.stop()
  else issuer.mood = mood
}

async function end(mood: IssuerMood | 'away'): Promise<void> {
  if (mood === 'away') await issuer.listen()
  issuer.mood = 'well'
}

describe.each(troubles)('an issuer that is %s', (mood, why) => {
  test('nobody gets in as long as its keys were never read, and everybody afterwards', async () => {
    const failures: unknown[] = []
    const jwt = verifier({ ...timeoutFor(mood), onFetch: (outcome) => failures.push(outcome) })
    await trouble(mood)
    await expect(jwt.verify(await token())).rejects.toEqual(unavailable)
    expect(failures).toEqual([{ failure: expect.stringMatching(why) as string }])

    // Within the cool-down nothing is asked again.
    await expect(jwt.verify(await token())).rejects.toEqual(unavailable)
    expect(failures).toHaveLength(1)

    await end(mood)
    nowMs += cooldownMs
    expect((await jwt.verify(await token())).name).toBe('ada')
    expect(failures.at(-1)).toEqual({ keys: 1 })
  })

  test('the previous keys stay in force, but not forever', async () => {
    const jwt = verifier(timeoutFor(mood))
    await jwt.verify(await token())
    await trouble(mood)
    for (const ageMs of [cacheMs, cacheMs + graceMs - 1]) {
      nowMs = startMs + ageMs
      expect((await jwt.verify(await token())).name).toBe('ada')
      await expect(jwt.verify(await token({ kid: 'other' }))).rejects.toEqual(unavailable)
    }
    nowMs = startMs + cacheMs + graceMs
    await expect(jwt.verify(await token())).rejects.toEqual(unavailable)
    nowMs += cooldownMs
    await expect(jwt.verify(await token())).rejects.toEqual(unavailable)

    await end(mood)
    nowMs += cooldownMs
    expect((await jwt.verify(await token())).name).toBe('ada')
  })
})

describe('the keys of an issuer', () => {
  test('are asked for once by many requests at a time', async () => {
    const jwt = verifier()
    const text = await token()
    await Promise.all(Array.from({ length: 50 }, () => jwt.verify(text)))
    expect(issuer.requests).toBe(1)
  })

  test('are cached, and asked for again when they are old', async () => {
    const jwt = verifier()
    await jwt.verify(await token())
    nowMs += cacheMs - 1
    await jwt.verify(await token())
    expect(issuer.requests).toBe(1)
    nowMs += 1
    await jwt.verify(await token())
    expect(issuer.requests).toBe(2)
  })

  test('rotate: a new one is asked for as soon as a token names it, the old one holds until it is withdrawn', async () => {
    const jwt = verifier()
    const old = await issuer.token({ sub: 'old', exp: startMs / 1000 + 86_400 }, nowMs)
    await jwt.verify(old)
    await issuer.rotate()
    nowMs += cooldownMs
    expect((await jwt.verify(await token())).name).toBe('ada')
    expect((await jwt.verify(old)).name).toBe('old')
    issuer.withdrawOldKeys()
    nowMs += cacheMs
    await expect(jwt.verify(old)).rejects.toEqual(unauthenticated)
    expect((await jwt.verify(await token())).name).toBe('ada')
  })

  test('are asked for once within the cool-down, however many tokens name unknown ones', async () => {
    const jwt = verifier()
    await jwt.verify(await token())
    nowMs += cooldownMs
    const foreign = await Promise.all(Array.from({ length: 50 }, (_, i) => token({ kid: `other-${i}` })))
    const outcomes = await Promise.allSettled(foreign.map((text) => jwt.verify(text)))
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    await expect(jwt.verify(await token({ kid: 'other' }))).rejects.toEqual(unauthenticated)
    nowMs += cooldownMs - 1
    await expect(jwt.verify(await token({ kid: 'other' }))).rejects.toEqual(unauthenticated)
    expect(issuer.requests).toBe(2)
  })

  test('while the issuer is away, only the first requests wait for it', async () => {
    // So long that a request that waits for the second answer would fail this test.
    const jwt = verifier({ timeoutMs: 600_000 })
    await jwt.verify(await token())
    nowMs += cacheMs
    issuer.mood = 'failing'
    await jwt.verify(await token())
    nowMs += cooldownMs
    issuer.mood = 'slow'
    expect((await jwt.verify(await token())).name).toBe('ada')
    await expect.poll(() => issuer.requests).toBe(3)
  })

  test('are asked for again after the clock was set back', async () => {
    const jwt = verifier()
    await jwt.verify(await token())
    nowMs -= 86_400_000
    await issuer.rotate()
    expect((await jwt.verify(await token())).name).toBe('ada')
  })

  test('count although a report of them fails', async () => {
    const onFetch = () => {
      throw new Error('the log is full')
    }
    expect((await verifier({ onFetch }).verify(await token())).name).toBe('ada')
  })
})
