import { describe, expect, test } from 'vitest'

import type { Caller, ClientCertificate } from '#access'

import { PeerTokens } from './peer-tokens.ts'
import { Installation } from './testing/index.ts'

const ownUrl = 'http://writer-1:8080'
const clerk = { rules: [{ actions: ['read'], on: ['order.*'] }] } as const

/** The same key and certificate at the service that they were sent to, and at the one that the request was forwarded to. */
async function callers() {
  const clock = { now: () => 0 }
  const peers = new PeerTokens({ secret: 'x'.repeat(32), ownUrl, now: () => clock.now() })
  const annals = new Installation({ peers })
  clock.now = annals.now
  annals.change({ roles: { clerk, porter: clerk } })
  const expiresAt = new Date(annals.nowMs + 60_000).toISOString()
  const { key, entry } = annals.addKey({ name: 'ada', roles: ['clerk'], expiresAt })
  const certificate: ClientCertificate = {
    commonName: 'billing.example',
    fingerprint: 'ab'.repeat(32),
    expiresAtMs: annals.nowMs + 60_000,
  }
  annals.addCertificate({ commonName: 'billing.example', name: 'billing', roles: ['clerk'] })
  const byKey = await annals.authenticate({ authorization: [`Bearer ${key}`] })
  const byCertificate = await annals.authenticate({ certificate })
  const forward = async ({ principal }: Pick<Caller, 'principal'>) =>
    annals.authenticate({ peer: [await peers.sign(principal, ownUrl)] })
  return {
    annals,
    id: entry.id,
    forward,
    keys: [byKey, await forward(byKey)],
    certificates: [byCertificate, await forward(byCertificate)],
  }
}

const ended = (some: readonly Caller[]) => some.map((caller) => caller.ended())
const both = (reason: string | undefined) => [reason, reason]

describe('a stream of a caller goes on', () => {
  test('while nothing changes, and when other things do', async () => {
    const { annals, keys, certificates } = await callers()
    expect(ended([...keys, ...certificates])).toEqual([...both(undefined), ...both(undefined)])
    annals.addKey({ name: 'bob', roles: ['admin'] })
    annals.addCertificate({ commonName: 'other.example', name: 'other', roles: [] })
    annals.change({ roles: { ...annals.document?.roles, guest: { rules: [] } } })
    expect(ended([...keys, ...certificates])).toEqual([...both(undefined), ...both(undefined)])
  })

  test('when its key holds for longer', async () => {
    const { annals, id, keys } = await callers()
    annals.changeKey(id, { expiresAt: new Date(annals.nowMs + 120_000).toISOString() })
    annals.nowMs += 60_000
    expect(ended(keys)).toEqual(both(undefined))
    annals.nowMs += 60_000
    expect(ended(keys)).toEqual(both('the credential has expired'))
  })
})

describe('a stream of a caller ends', () => {
  const changed = 'the rights of the principal have changed'

  test.each([
    ['is revoked', { revokedAt: '2026-03-01T00:00:00Z' }, 'the API key was revoked'],
    ['has expired', { expiresAt: '2026-03-01T00:00:00Z' }, 'the credential has expired'],
    ['has an expiry that is malformed', { expiresAt: 'never' }, 'the credential has expired'],
    ['belongs to another', { name: 'eve' }, 'the API key was removed'],
    ['has more roles', { roles: ['clerk', 'service'] }, changed],
    ['has fewer roles', { roles: [] }, changed],
  ])('when its key %s', async (_, change, reason) => {
    const { annals, id, keys } = await callers()
    annals.changeKey(id, change)
    expect(ended(keys)).toEqual(both(reason))
    // It is asked again until somebody closes the stream.
    expect(ended(keys)).toEqual(both(reason))
  })

  test('when its key is removed', async () => {
    const { annals, keys, certificates } = await callers()
    annals.change({ keys: [] })
    expect(ended(keys)).toEqual(both('the API key was removed'))
    expect(ended(certificates)).toEqual(both(undefined))
  })

  test('when its certificate is no longer listed, or names another', async () => {
    const { annals, keys, certificates } = await callers()
    annals.change({ certificates: [] })
    expect(ended(certificates)).toEqual(both('the certificate is no longer listed'))
    annals.addCertificate({ commonName: 'billing.example', name: 'eve', roles: ['clerk'] })
    expect(ended(certificates)).toEqual(both('the certificate is no longer listed'))
    expect(ended(keys)).toEqual(both(undefined))
  })

  test('when what its role grants changes', async () => {
    const { annals, keys, certificates } = await callers()
    annals.change({ roles: { clerk: { rules: [{ actions: ['read'], on: ['order.4*'] }] } } })
    expect(ended([...keys, ...certificates])).toEqual([...both(changed), ...both(changed)])
  })

  test('when its credential expires', async () => {
    const { annals, keys, certificates } = await callers()
    annals.nowMs += 59_999
    expect(ended([...keys, ...certificates])).toEqual([...both(undefined), ...both(undefined)])
    annals.nowMs += 1
    const reason = 'the credential has expired'
    expect(ended([...keys, ...certificates])).toEqual([...both(reason), ...both(reason)])
  })

  test('of a token, when it expires or its roles grant something else', async () => {
    const { annals, forward } = await callers()
    const principal = {
      name: 'eve',
      kind: 'jwt',
      roles: ['clerk'],
      expiresAtMs: annals.nowMs + 1000,
    } as const
    const caller = await forward({ principal })
    annals.addKey({ name: 'bob', roles: [] })
    expect(caller.ended()).toBeUndefined()
    annals.change({ roles: {} })
    expect(caller.ended()).toBe(changed)
    annals.change({ roles: { clerk } })
    annals.nowMs += 1000
    expect(caller.ended()).toBe('the credential has expired')
    await expect(forward({ principal })).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  test('when the access state is gone', async () => {
    const { annals, keys } = await callers()
    annals.document = undefined
    expect(ended(keys)).toEqual(both('the access state is not available'))
  })
})
