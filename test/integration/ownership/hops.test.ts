import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { AccessDocument, Principal } from '#access'
import { newApiKey, PeerTokens } from '#authentication'
import type { AnnalsClient } from '#client'
import type { StreamId } from '#domain'

import { testClient } from '../../support/services/closing.ts'
import { runningSnapshotter, valueOf } from '../../support/services/snapshotter-fixture.ts'
import {
  type Installation,
  installation,
  type RealWriter,
  startRealWriter,
} from '../../support/services/real-writer.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { purchase, purchases, streamPerPartition } from '../../support/services/writer-fixture.ts'

const partitions = 4
const secret = randomBytes(32).toString('hex')
const keys = {
  ada: newApiKey({ name: 'ada', roles: ['service'] }),
  bob: newApiKey({ name: 'bob', roles: ['service'] }),
  reader: newApiKey({ name: 'reader', roles: ['reader'] }),
}
type Name = keyof typeof keys

const bearer = (name: Name) => ({ authorization: `Bearer ${keys[name].key}` })
const principalOf = (name: Name): Principal => {
  const { id, roles } = keys[name].entry
  return { name, kind: 'key', roles, credentialId: id }
}

function protectedInstallation(): Installation {
  const where = installation({ ANNALS_KAFKA_PARTITIONS: String(partitions), ANNALS_PEER_SECRET: secret })
  const file = join(dirname(where.domain.modulePath), 'access.json')
  const document: AccessDocument = {
    roles: {},
    keys: Object.values(keys).map(({ entry }) => entry),
    certificates: [],
  }
  writeFileSync(file, JSON.stringify(document), { mode: 0o600 })
  return { ...where, env: { ...where.env, ANNALS_ACCESS: 'file', ANNALS_ACCESS_FILE: file } }
}

/** Two writers that share the partitions, both with access control and the same secret. */
let where: Installation
let first: RealWriter
let second: RealWriter

/** A new stream id of a partition that a writer owns. */
const streamOf = ({ url, writer }: RealWriter): StreamId => {
  const streams = streamPerPartition(where.type, partitions)
  return streams.find((streamId) => writer.api.place(streamId).owner === url) ?? fail(`${url} owns nothing`)
}

const fail = (message: string): never => {
  throw new Error(message)
}

const ownedBy = ({ url, writer }: RealWriter): number =>
  streamPerPartition(where.type, partitions).filter((streamId) => writer.api.place(streamId).owner === url)
    .length

beforeAll(async () => {
  where = protectedInstallation()
  first = await startRealWriter(where)
  second = await startRealWriter(where)
  await waitFor('both writers to own partitions', () => {
    for (const { writer } of [first, second]) writer.checkServing()
    return Promise.resolve([first, second].every((writer) => ownedBy(writer) === partitions / 2))
  })
}, 60_000)

afterAll(async () => {
  await Promise.all([first.close(), second.close()])
  where.domain.remove()
})

const clientOf = ({ url }: RealWriter, name: Name): AnnalsClient =>
  testClient({ url, direct: false, headers: bearer(name), retries: { triesMax: 1 } })

describe('two writers with access control', () => {
  test('forward appends and reads in the name of the principal', async () => {
    const streams = streamPerPartition(where.type, partitions)
    const clients = (['ada', 'bob'] as const).map((name) => clientOf(first, name))
    await Promise.all(
      clients.flatMap((client) => streams.map((streamId) => client.append(streamId, [purchase()]))),
    )
    for (const writer of [first, second]) {
      const reader = clientOf(writer, 'reader')
      for (const streamId of streams) {
        const { events } = await reader.read(streamId)
        expect(events.map(({ metadata }) => metadata.userId).toSorted()).toEqual(['ada', 'bob'])
        expect((await reader.state(streamId)).version).toBe(2)
      }
    }
    expect(await valueOf(first.metrics, 'annals_writer_forwarded_total')).toBeGreaterThan(0)
  })

  test('reject at the first one what the principal may not do', async () => {
    await expect(clientOf(first, 'reader').append(streamOf(second), [purchase()])).rejects.toMatchObject({
      code: 'forbidden',
    })
  })

  test('let a snapshotter load in its own name, whichever it asks', async () => {
    const streams = [streamOf(first), streamOf(second)]
    for (const streamId of streams) await clientOf(first, 'ada').append(streamId, purchases(3))
    const { snapshotter } = await runningSnapshotter(where, first)
    for (const streamId of streams)
      expect(await snapshotter.api.snapshot(streamId)).toMatchObject({ streamId, version: 3 })
  })
})

describe('a token of a peer', () => {
  /** Appends as a peer would that forwards a request. */
  const forward = async (
    token: string,
    { to = second, streamId = streamOf(to), headers = {} }: Partial<Forwarded> = {},
  ) => {
    const response = await fetch(`${to.url}/streams/${streamId}/events`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'annals-peer': token,
        'annals-forwarded': '1',
        ...headers,
      },
      body: JSON.stringify({ events: [purchase()] }),
    })
    return { status: response.status, text: await response.text() }
  }
  const tokens = (ofSecret = secret, now = Date.now) =>
    new PeerTokens({ secret: ofSecret, ownUrl: first.url, now })
  const tokenOf = (name: Name, more: Partial<Principal> = {}, at = second) =>
    tokens().sign({ ...principalOf(name), ...more }, at.url)

  test('counts once', async () => {
    const token = await tokenOf('ada')
    expect((await forward(token)).status).toBe(201)
    expect(await forward(token)).toMatchObject({
      status: 401,
      text: expect.stringContaining('used before') as string,
    })
  })

  const minuteAgo = () => Date.now() - 60_000
  test.each<[what: string, token: () => Promise<string>, reason: string]>([
    ['forged', () => tokens('x'.repeat(64)).sign(principalOf('ada'), second.url), 'not signed by a peer'],
    ['expired', () => tokens(secret, minuteAgo).sign(principalOf('ada'), second.url), 'has expired'],
    ['for another writer', () => tokenOf('ada', {}, first), 'for another service'],
    ['of a key that does not exist', () => tokenOf('ada', { credentialId: 'x' }), 'was removed'],
    ['a proof', () => tokens().prove('a'.repeat(43), second.url), 'not signed by a peer'],
    ['an API key', () => Promise.resolve(keys.ada.key), 'malformed'],
  ])('that is %s is rejected', async (_, make, reason) => {
    const { status, text } = await forward(await make())
    expect([status, text]).toEqual([401, expect.stringContaining(reason)])
  })

  test('grants no more than the key has at the receiver, whatever roles it names', async () => {
    expect((await forward(await tokenOf('reader', { roles: ['admin'] }))).status).toBe(403)
  })

  test('is rejected beside another credential', async () => {
    expect((await forward(await tokenOf('ada'), { headers: bearer('ada') })).status).toBe(401)
  })

  test('is what makes a request a forwarded one: the header alone is ignored', async () => {
    const streamId = streamOf(second)
    const signed = await forward(await tokenOf('ada', {}, first), { to: first, streamId })
    expect([signed.status, signed.text]).toEqual([503, expect.stringContaining('not-owner')])
    const response = await fetch(`${first.url}/streams/${streamId}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'annals-forwarded': '1', ...bearer('ada') },
      body: JSON.stringify({ events: [purchase()] }),
    })
    expect(response.status).toBe(201)
  })
})

interface Forwarded {
  readonly to: RealWriter
  readonly streamId: StreamId
  readonly headers: Readonly<Record<string, string>>
}
