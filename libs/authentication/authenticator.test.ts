import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { ClientCertificate, Credentials } from '#access'
import { EventStoreError } from '#event-store'

import { JwtVerifier } from './jwt-verifier.ts'
import { PeerTokens } from './peer-tokens.ts'
import { Installation, TokenIssuer } from './testing/index.ts'

const bearer = (credential: string) => ({ authorization: [`Bearer ${credential}`] })

const secret = 'a secret of more than thirty-two characters'
const ownUrl = 'http://writer-1:8080'

function installation() {
  const clock = { now: () => 0 }
  const peers = new PeerTokens({ secret, ownUrl, now: () => clock.now() })
  const annals = new Installation({ peers })
  clock.now = annals.now
  const certificate: ClientCertificate = {
    commonName: 'billing.example',
    fingerprint: 'ab'.repeat(32),
    expiresAtMs: annals.nowMs + 60_000,
  }
  annals.addCertificate({ commonName: 'billing.example', name: 'billing', roles: ['service'] })
  return { annals, peers, certificate, ada: annals.addKey({ name: 'ada', roles: ['reader'] }) }
}

const refused = (message: string): unknown =>
  expect.objectContaining({ code: 'unauthenticated', message: expect.stringContaining(message) as string })

describe('an API key', () => {
  test('is checked at once', () => {
    const { annals, ada } = installation()
    const caller = annals.authenticator.authenticate({ ...bearer(ada.key), peer: [] })
    expect(caller).toMatchObject({
      principal: { name: 'ada', kind: 'key', roles: ['reader'], credentialId: ada.entry.id },
      isForwarded: false,
    })
    expect(caller).not.toBeInstanceOf(Promise)
    expect((caller as Awaited<typeof caller>).rights.decide('read', orders).isAllowed).toBe(true)
    expect((caller as Awaited<typeof caller>).rights.decide('append', orders).isAllowed).toBe(false)
  })

  test('is refused at once, by throwing', () => {
    const { annals } = installation()
    expect(() => annals.authenticator.authenticate({ authorization: ['Basic x'], peer: [] })).toThrow(
      EventStoreError,
    )
  })

  test('the scheme may be in any case', async () => {
    const { annals, ada } = installation()
    for (const scheme of ['bearer', 'BEARER'])
      expect((await annals.authenticate({ authorization: [`${scheme} ${ada.key}`] })).principal.name).toBe(
        'ada',
      )
  })

  test('expires', async () => {
    const { annals } = installation()
    const expiresAt = new Date(annals.nowMs + 1000).toISOString()
    const { key } = annals.addKey({ name: 'bob', roles: [], expiresAt })
    annals.nowMs += 999
    expect((await annals.authenticate(bearer(key))).principal.expiresAtMs).toBe(annals.nowMs + 1)
    annals.nowMs += 1
    await expect(annals.authenticate(bearer(key))).rejects.toEqual(refused('has expired'))
  })

  test('rotates: two of the same name count, until one is revoked', async () => {
    const { annals, ada } = installation()
    const next = annals.addKey({ name: 'ada', roles: ['reader'] })
    for (const { key } of [ada, next])
      expect((await annals.authenticate(bearer(key))).principal.name).toBe('ada')
    annals.changeKey(ada.entry.id, { revokedAt: '2026-03-01T00:00:00Z' })
    await expect(annals.authenticate(bearer(ada.key))).rejects.toEqual(refused('was revoked'))
    expect((await annals.authenticate(bearer(next.key))).principal.name).toBe('ada')
  })

  test('an unknown id and a wrong secret get the same answer, and so does a key that has ended', async () => {
    const { annals, ada } = installation()
    const foreign = installation().ada.key
    const wrongSecret = `${ada.key.slice(0, 24)}${foreign.slice(24)}`
    const answers = []
    for (const key of [foreign, wrongSecret]) answers.push(await failure(annals, bearer(key)))
    annals.changeKey(ada.entry.id, { revokedAt: '2026-03-01T00:00:00Z', expiresAt: '2026-02-01T00:00:00Z' })
    answers.push(await failure(annals, bearer(wrongSecret)))
    expect(new Set(answers)).toEqual(new Set(['the API key is not valid']))
  })

  test('in a document that nobody has checked, a malformed hash or time admits nobody', async () => {
    const { annals, ada } = installation()
    annals.changeKey(ada.entry.id, { hash: 'abc' })
    await expect(annals.authenticate(bearer(ada.key))).rejects.toEqual(refused('not valid'))
    annals.changeKey(ada.entry.id, { hash: ada.entry.hash, expiresAt: 'never' })
    await expect(annals.authenticate(bearer(ada.key))).rejects.toEqual(refused('has expired'))
  })
})

const orders = { kind: 'stream', type: 'order', id: '42' } as const

const failure = async (annals: Installation, credentials: Partial<Credentials>): Promise<string> =>
  annals.authenticate(credentials).then(
    () => 'admitted',
    (error: unknown) => (error instanceof EventStoreError ? error.message : 'another error'),
  )

describe('a client certificate', () => {
  test('is known by its common name', async () => {
    const { annals, certificate } = installation()
    expect((await annals.authenticate({ certificate })).principal).toEqual({
      name: 'billing',
      kind: 'certificate',
      roles: ['service'],
      credentialId: certificate.fingerprint,
      expiresAtMs: certificate.expiresAtMs,
    })
  })

  test('is refused when it is not listed, or has expired', async () => {
    const { annals, certificate } = installation()
    for (const commonName of ['billing', 'Billing.example', 'billing.example\0', '', '*'])
      await expect(annals.authenticate({ certificate: { ...certificate, commonName } })).rejects.toEqual(
        refused('not listed'),
      )
    annals.nowMs = certificate.expiresAtMs
    await expect(annals.authenticate({ certificate })).rejects.toEqual(refused('expired'))
  })

  test('does not count beside a header: a machine may have a certificate, and its user a key', async () => {
    const { annals, certificate, ada } = installation()
    expect((await annals.authenticate({ ...bearer(ada.key), certificate })).principal.name).toBe('ada')
    for (const authorization of [[''], ['Bearer '], ['Bearer x'], [`Bearer ${ada.key.slice(0, -1)}`]])
      await expect(annals.authenticate({ authorization, certificate })).rejects.toEqual(refused(''))
  })

  test('does not count beside a peer token: it is that of the service', async () => {
    const { annals, peers, certificate, ada } = installation()
    const principal = (await annals.authenticate(bearer(ada.key))).principal
    const peer = [await peers.sign(principal, ownUrl)]
    expect((await annals.authenticate({ peer, certificate })).principal.name).toBe('ada')
    await expect(annals.authenticate({ peer, certificate })).rejects.toEqual(refused('used before'))
  })
})

describe('a forwarded request', () => {
  test('is one of its principal, with the roles that are known here', async () => {
    const { annals, peers, ada } = installation()
    const { principal } = await annals.authenticate(bearer(ada.key))
    annals.changeKey(ada.entry.id, { roles: ['service'] })
    const caller = await annals.authenticate({ peer: [await peers.sign(principal, ownUrl)] })
    expect(caller).toMatchObject({ principal: { ...principal, roles: ['service'] }, isForwarded: true })
  })

  test.each([
    ['revoked', { revokedAt: '2026-03-01T00:00:00Z' }, 'was revoked'],
    ['expired', { expiresAt: '2026-02-28T00:00:00Z' }, 'has expired'],
    ['one of somebody else', { name: 'eve' }, 'was removed'],
  ])('is refused when its key is %s here', async (_, change, message) => {
    const { annals, peers, ada } = installation()
    const { principal } = await annals.authenticate(bearer(ada.key))
    annals.changeKey(ada.entry.id, change)
    const peer = [await peers.sign(principal, ownUrl)]
    await expect(annals.authenticate({ peer })).rejects.toEqual(refused(message))
  })

  test('is refused when its key or certificate is not listed here', async () => {
    const { annals, peers, ada, certificate } = installation()
    const forwarded = await Promise.all(
      [bearer(ada.key), { certificate }].map(async (credentials) =>
        peers.sign((await annals.authenticate(credentials)).principal, ownUrl),
      ),
    )
    annals.change({ keys: [], certificates: [] })
    for (const token of forwarded)
      await expect(annals.authenticate({ peer: [token] })).rejects.toEqual(refused('forwarded, but'))
  })

  test('of a certificate has the roles of that one, if several have its name', async () => {
    const { annals, peers, certificate } = installation()
    const { principal } = await annals.authenticate({ certificate })
    const forward = async () => annals.authenticate({ peer: [await peers.sign(principal, ownUrl)] })
    expect((await forward()).principal.roles).toEqual(['service'])
    annals.change({ certificates: [{ commonName: 'billing.example', name: 'billing', roles: ['reader'] }] })
    expect((await forward()).principal.roles).toEqual(['reader'])
    annals.change({ certificates: [{ commonName: 'billing.example', name: 'billing', roles: ['service'] }] })
    annals.addCertificate({ commonName: 'other.example', name: 'billing', roles: ['admin'] })
    expect((await forward()).principal.roles).toEqual(['service'])
    annals.change({ certificates: [] })
    for (const commonName of ['a.example', 'b.example'])
      annals.addCertificate({ commonName, name: 'billing', roles: ['admin'] })
    await expect(forward()).rejects.toEqual(refused('no longer listed'))
  })

  test('of a peer itself is not forwarded', async () => {
    const { annals, peers } = installation()
    const service = { name: 'annals:projector', kind: 'peer', roles: ['operator'] } as const
    const caller = await annals.authenticate({ peer: [await peers.sign(service, ownUrl)] })
    expect(caller).toMatchObject({ principal: service, isForwarded: false })
  })

  test('is refused by a service without peers', async () => {
    const { peers, ada } = installation()
    const alone = new Installation()
    const token = await peers.sign(
      { name: 'ada', kind: 'key', roles: [], credentialId: ada.entry.id },
      ownUrl,
    )
    await expect(alone.authenticate({ peer: [token] })).rejects.toEqual(refused('ANNALS_PEER_SECRET'))
  })
})

describe('a JSON Web Token', () => {
  test('is checked with the issuer, and its roles with the document', async () => {
    const issuer = await TokenIssuer.start()
    const annals = new Installation({ jwt: verifierOf(issuer) })
    const token = await issuer.token({ sub: 'ada', roles: ['reader', 'of something else'] }, annals.nowMs)
    const { principal, rights } = await annals.authenticate(bearer(token))
    expect(principal).toMatchObject({ name: 'ada', kind: 'jwt' })
    expect(rights.decide('read', orders).isAllowed).toBe(true)
    expect(rights.decide('append', orders).isAllowed).toBe(false)
    await issuer.stop()
  })

  test('is refused when none are accepted', async () => {
    const { annals } = installation()
    await expect(annals.authenticate(bearer('a.b.c'))).rejects.toEqual(refused('accepts no JSON Web Tokens'))
  })
})

const verifierOf = (issuer: TokenIssuer) =>
  new JwtVerifier({
    jwksUrl: issuer.jwksUrl,
    issuer: issuer.issuer,
    audience: issuer.audience,
    algorithms: ['ES256'],
    clockToleranceMs: 0,
    cacheMs: 600_000,
    nameClaim: 'sub',
    rolesClaim: 'roles',
    now: () => Date.parse('2026-03-01T00:00:00Z'),
  })

describe('whatever else is sent', () => {
  const { annals, ada, peers } = installation()
  const key = `Bearer ${ada.key}`

  test.each<[string, Partial<Credentials>, string]>([
    ['nothing', {}, 'no credential'],
    ['the same key twice', { authorization: [key, key] }, 'several credentials'],
    ['a key and nothing', { authorization: [key, ''] }, 'several credentials'],
    ['a key and a peer token', { authorization: [key], peer: ['x'] }, 'several credentials'],
    ['two peer tokens', { peer: ['x', 'x'] }, 'several credentials'],
    ['an empty header', { authorization: [''] }, 'malformed'],
    ['no scheme', { authorization: [ada.key] }, 'malformed'],
    ['another scheme', { authorization: [`Basic ${ada.key}`] }, 'malformed'],
    ['the scheme alone', { authorization: ['Bearer'] }, 'malformed'],
    ['a tab', { authorization: [`Bearer\t${ada.key}`] }, 'malformed'],
    ['two spaces', { authorization: [`Bearer  ${ada.key}`] }, 'accepts no JSON Web Tokens'],
    ['two keys in one header', { authorization: [`${key}, ${key}`] }, 'malformed'],
    ['a key that is cut off', { authorization: [key.slice(0, -1)] }, 'malformed'],
    ['a key that goes on', { authorization: [`${key}A`] }, 'malformed'],
    [
      'a key without its second underscore',
      { authorization: [key.replace(/_(?=.{43}$)/, '-')] },
      'malformed',
    ],
    ['a key in capitals', { authorization: [`Bearer ${ada.key.toUpperCase()}`] }, 'JSON Web Tokens'],
    ['the id alone', { authorization: [`Bearer annals_${ada.entry.id}`] }, 'malformed'],
    ['the hash as the secret', { authorization: [`${key.slice(0, 31)}${ada.entry.hash}`] }, 'malformed'],
    ['a malformed peer token', { peer: [ada.key] }, 'malformed'],
    ['an empty peer token', { peer: [''] }, 'malformed'],
  ])('is refused: %s', async (_, credentials, message) => {
    const error: unknown = await annals.authenticate(credentials).catch((reason: unknown) => reason)
    expect(error).toEqual(refused(message))
    expect(JSON.stringify(error) + String(error)).not.toContain(ada.key.slice(24, 60))
  })

  test('only one text of all is the key', async () => {
    const place = fc.integer({ min: 0, max: ada.key.length - 1 })
    const character = fc.string({ minLength: 1, maxLength: 1 })
    await fc.assert(
      fc.asyncProperty(place, character, async (at, other) => {
        const text = ada.key.slice(0, at) + other + ada.key.slice(at + 1)
        const isRight = text === ada.key
        expect((await failure(annals, bearer(text))) === 'admitted').toBe(isRight)
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        for (const credentials of [bearer(text), { authorization: [text] }, { peer: [text] }])
          expect(await failure(annals, credentials)).not.toMatch(/^admitted$|^another error$/)
      }),
    )
  })

  test('nobody is admitted as long as no access state was read', async () => {
    const unread = installation()
    unread.annals.document = undefined
    const { principal } = await annals.authenticate(bearer(ada.key))
    const peer = [await peers.sign(principal, ownUrl)]
    for (const credentials of [bearer(unread.ada.key), { peer }, { certificate: unread.certificate }])
      await expect(unread.annals.authenticate(credentials)).rejects.toMatchObject({ code: 'unavailable' })
  })
})
