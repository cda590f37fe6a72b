import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'

import { allRights, type Caller, type Principal } from '#access'
import { PeerTokens } from '#authentication'
import { PeerCheck } from '#client'
import { createHttpServer } from '#http'
import { createLogger, createMetrics, HealthRegistry } from '#observability'

import { internalCaller } from './internal-caller.ts'
import { peerRoute } from './peer-route.ts'
import { proofCheck, type ProvenPeer, provenText, signedSender } from './peer-tokens.ts'
import { contextOf } from './request-context.ts'

const secret = 's'.repeat(32)
const url = 'http://127.0.0.1:7400'
const tokensAt = (ownUrl: string, ofSecret = secret) => new PeerTokens({ secret: ofSecret, ownUrl })
const ada: Principal = { name: 'ada', kind: 'key', roles: ['service'], credentialId: 'k1' }
const callerOf = (principal: Principal, isForwarded = false): Caller => ({
  principal,
  rights: allRights,
  isForwarded,
  ended: () => undefined,
})

describe('a signed sender', () => {
  test('sends a token of the principal for one receiver, once', async () => {
    const sender = signedSender(tokensAt(url), callerOf(ada))
    const receiver = tokensAt('http://Writer:7401/')
    const { 'annals-peer': token = '' } = (await sender?.headersFor('http://writer:7401')) ?? {}
    expect(await receiver.verify(token)).toEqual(ada)
    await expect(receiver.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' })
    await expect(tokensAt('http://writer:7402').verify(token)).rejects.toMatchObject({
      code: 'unauthenticated',
    })
  })

  test('signs nothing without a secret, and nothing for somebody who has proved nothing', () => {
    expect(signedSender(undefined, callerOf(ada))).toBeUndefined()
    expect(signedSender(tokensAt(url), callerOf({ ...ada, kind: 'open' }))).toBeUndefined()
  })

  test('has a key that differs with anything that is signed', () => {
    const keyOf = (principal: Principal) => signedSender(tokensAt(url), callerOf(principal))?.key
    const principal = fc.record(
      {
        name: fc.constantFrom('a', 'a,', '["a'),
        kind: fc.constantFrom('key' as const, 'jwt' as const),
        roles: fc.array(fc.constantFrom('r', 's', 'r,s'), { maxLength: 3 }),
        credentialId: fc.constantFrom('r', 'k'),
        expiresAtMs: fc.constantFrom(1, 2),
      },
      { requiredKeys: ['name', 'kind', 'roles'] },
    )
    fc.assert(
      fc.property(principal, principal, (one, other) => {
        const isEqual = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
        expect(keyOf(one) === keyOf(other)).toBe(isEqual)
      }),
    )
  })
})

const sorted = (value: object) => Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))

describe('the context of a request', () => {
  const forwarded = { 'annals-forwarded': '1' }
  test.each<[what: string, caller: Caller, isForwarded: boolean]>([
    ['a client with a key', callerOf(ada), false],
    ['a peer in the name of a client', callerOf(ada, true), true],
    ['a peer in the name of another service', internalCaller('annals-snapshotter'), true],
    ['anybody without access control', callerOf({ name: 'anonymous', kind: 'open', roles: [] }, true), true],
  ])('the header of %s', (_, caller, isForwarded) => {
    expect(contextOf({ headers: forwarded, caller })).toEqual({ forwarded: isForwarded, caller })
    expect(contextOf({ headers: {}, caller })).toEqual({ forwarded: false, caller })
  })
})

/** A server that identifies itself to peers. */
async function peerAt(tokens: PeerTokens | undefined, where: Partial<ProvenPeer> = {}): Promise<ProvenPeer> {
  const app = await createHttpServer({
    logger: createLogger({ name: 'service', level: 'silent' }),
    health: new HealthRegistry(),
    metrics: createMetrics({ service: 'test', processMetrics: false }),
    title: 'Annals',
    version: '0.0.0',
    bodyLimitBytes: 1_000_000,
  })
  onTestFinished(() => app.close())
  const peer = { clusterId: 'c-1', groupId: 'writers', instance: 'i-1', url: '', ...where }
  await app.register(peerRoute('writer', peer, tokens))
  const own = await app.listen({ host: '127.0.0.1', port: 0 })
  peer.url ||= own
  return { ...peer, url: own }
}

describe('a peer', () => {
  const verdictOn = async ({ clusterId, groupId, ...peer }: ProvenPeer, own: PeerTokens) => {
    const check = new PeerCheck('/peers/writer', { clusterId, groupId }, { checkProof: proofCheck(own) })
    onTestFinished(() => check.close())
    return check.verdict(peer)
  }

  test.each<[what: string, tokens: PeerTokens | undefined, where: Partial<ProvenPeer>, verdict: string]>([
    ['with the same secret', tokensAt(url), {}, 'verified'],
    ['with another secret', tokensAt(url, 't'.repeat(32)), {}, 'refuted'],
    ['without a secret', undefined, {}, 'refuted'],
    ['that is advertised elsewhere', tokensAt(url), { url: 'http://elsewhere' }, 'refuted'],
  ])('%s is %4$s', async (_, tokens, where, verdict) => {
    expect(await verdictOn(await peerAt(tokens, where), tokensAt('http://asking'))).toBe(verdict)
  })

  test('answers without a proof when it is not asked for one, and rejects what is no challenge', async () => {
    const { url: at } = await peerAt(tokensAt(url))
    const ask = (query: string) => fetch(`${at}/peers/writer${query}`)
    expect(await (await ask('')).json()).toEqual({
      clusterId: 'c-1',
      groupId: 'writers',
      instance: 'i-1',
    })
    expect((await ask(`?challenge=${'a'.repeat(43)}`)).status).toBe(200)
    for (const challenge of ['', 'a', 'a'.repeat(42), 'a'.repeat(44), `${'a'.repeat(42)}!`])
      expect((await ask(`?challenge=${encodeURIComponent(challenge)}`)).status).toBe(400)
  })

  test('different identities have different texts', () => {
    const peer = { clusterId: 'a', groupId: 'b', instance: 'c', url: 'd' }
    const others = [
      { ...peer, clusterId: 'a","b' },
      { ...peer, groupId: 'b","c' },
      { ...peer, url: 'e' },
    ]
    expect(new Set([peer, ...others].map(provenText)).size).toBe(4)
  })
})
