import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'

import { PeerCheck, type ProvenIdentity } from './peer-check.ts'

const group = { clusterId: 'c-1', groupId: 'writers' }
const instance = 'i-1'
const identity = { ...group, instance }

afterEach(() => vi.restoreAllMocks())

/** A server on the loopback interface, and the requests that it received. */
async function serverOf(answer: RequestListener): Promise<{ server: Server; url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

const json =
  (body: unknown, status = 200): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

function checkOf(): PeerCheck {
  const check = new PeerCheck('/peers/writer', group)
  onTestFinished(() => check.close())
  return check
}

test('a peer with the expected identity is verified, also under a path prefix', async () => {
  const { url, asked } = await serverOf(json({ ...identity, more: 1 }))
  const check = checkOf()
  expect(await check.verdict({ url, instance })).toBe('verified')
  expect(await check.verdict({ url: `${url}/annals/`, instance })).toBe('verified')
  expect(asked).toEqual(['GET /peers/writer', 'GET /annals/peers/writer'])
})

test.each<[what: string, answer: RequestListener]>([
  ['another instance', json({ ...identity, instance: 'i-2' })],
  ['another group', json({ ...identity, groupId: 'projectors' })],
  ['another cluster', json({ ...identity, clusterId: 'c-2' })],
  ['an unknown route', json({ code: 'not-found' }, 404)],
  ['something else', (_, response) => response.end('<html>')],
  ['null', json(null)],
  ['the right answer with another status', json(identity, 201)],
  ['an answer that is too long', (_, response) => response.end('x'.repeat(100_000))],
])('%s is refuted', async (_, answer) => {
  const { url } = await serverOf(answer)
  expect(await checkOf().verdict({ url, instance })).toBe('refuted')
})

test('a redirect is not followed, not even to the member itself', async () => {
  const right = await serverOf(json(identity))
  const { url } = await serverOf((_, response) => {
    response.writeHead(302, { location: `${right.url}/peers/writer` }).end()
  })
  expect(await checkOf().verdict({ url, instance })).toBe('refuted')
  expect(right.asked).toEqual([])
})

test('a server that does not speak HTTP is refuted', async () => {
  const server = createTcpServer((socket) => socket.end('220 mail.example.com ESMTP\r\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  expect(await checkOf().verdict({ url, instance })).toBe('refuted')
})

test('a peer that is silent, unreachable or busy is unknown, within two seconds', async () => {
  const silent = await serverOf(() => undefined)
  const busy = await serverOf(json({}, 503))
  const away = await serverOf(() => undefined)
  await new Promise((resolve) => away.server.close(resolve))
  const check = checkOf()
  const beganMs = performance.now()
  for (const { url } of [silent, busy, away]) expect(await check.verdict({ url, instance })).toBe('unknown')
  expect(performance.now() - beganMs).toBeLessThan(2_000)
})

test('concurrent calls share one request, and its result is cached', async () => {
  const { url, asked } = await serverOf(json(identity))
  const check = checkOf()
  const peer = { url, instance }
  expect(await Promise.all([check.verdict(peer), check.verdict(peer)])).toEqual(['verified', 'verified'])
  expect(await check.verdict(peer)).toBe('verified')
  expect(asked).toHaveLength(1)
})

test('a verified peer stays verified while it is silent, until something else answers', async () => {
  let answer = json(identity)
  const { url } = await serverOf((...call) => answer(...call))
  const check = checkOf()
  const peer = { url, instance }
  expect(await check.verdict(peer)).toBe('verified')
  const later = async (seconds: number) => {
    const nowMs = performance.now()
    vi.spyOn(performance, 'now').mockReturnValue(nowMs + seconds * 1_000)
    return check.verdict(peer)
  }
  answer = json({}, 503)
  expect(await later(31)).toBe('verified')
  answer = json({ ...identity, instance: 'i-2' })
  await expect.poll(() => later(31)).toBe('refuted')
})

test('the current verdict does not come from the cache', async () => {
  let current: unknown = identity
  const { url, asked } = await serverOf((request, response) => json(current)(request, response))
  const check = checkOf()
  expect(await check.verdict({ url, instance })).toBe('verified')
  current = { ...identity, instance: 'i-2' }
  expect(await check.verdict({ url, instance })).toBe('verified')
  expect(await check.verdictNow({ url, instance })).toBe('refuted')
  // Requests go there no more.
  expect(await check.verdict({ url, instance })).toBe('refuted')
  expect(asked).toHaveLength(2)
})

/** Proves as a peer with this secret would; the text shows everything that it proves. */
const proofOf = (
  secret: string,
  challenge: unknown,
  { clusterId, groupId, instance: of, url }: ProvenIdentity,
): string => JSON.stringify([secret, challenge, clusterId, groupId, of, url])

const challengeOf = (path = ''): string | null => new URL(path, 'http://peer').searchParams.get('challenge')

function provingCheck(): PeerCheck {
  const check = new PeerCheck('/peers/writer', group, {
    checkProof: (proof, challenge, peer) => Promise.resolve(proof === proofOf('secret', challenge, peer)),
  })
  onTestFinished(() => check.close())
  return check
}

/** A peer that signs what it is asked, as if it were at a URL. */
function provingPeer(secret: string, at: () => string, of = identity): RequestListener {
  return (request, response) => {
    const proof = proofOf(secret, challengeOf(request.url), { ...of, url: at() })
    json({ ...of, proof })(request, response)
  }
}

describe('with a secret', () => {
  test('a peer is verified that proves to know it, for another challenge each time', async () => {
    let own = ''
    const { url, asked } = await serverOf(provingPeer('secret', () => own))
    own = url
    const check = provingCheck()
    expect(await check.verdict({ url, instance })).toBe('verified')
    expect(await check.verdictNow({ url, instance })).toBe('verified')
    const challenges = asked.map((line) => challengeOf(line.split(' ')[1]))
    expect(new Set(challenges).size).toBe(2)
    for (const challenge of challenges) expect(challenge).toMatch(/^[\w-]{43}$/)
  })

  test.each<[what: string, answer: (url: () => string) => RequestListener]>([
    ['without a proof', () => json(identity)],
    ['with a proof that is not text', () => json({ ...identity, proof: [1] })],
    ['with a proof that is too long', () => json({ ...identity, proof: 'x'.repeat(3_000) })],
    ['that knows another secret', (url) => provingPeer('other', url)],
    [
      'that repeats an old proof',
      (url) => (request, response) => {
        const proof = proofOf('secret', 'an old challenge', { ...identity, url: url() })
        json({ ...identity, proof })(request, response)
      },
    ],
    ['that passes on the proof of a peer elsewhere', () => provingPeer('secret', () => 'http://elsewhere')],
    [
      'that passes on the proof of another instance',
      (url) => (request, response) => {
        const proof = proofOf('secret', challengeOf(request.url), {
          ...identity,
          instance: 'i-2',
          url: url(),
        })
        json({ ...identity, proof })(request, response)
      },
    ],
  ])('a peer %s is refuted', async (_, answerAt) => {
    let own = ''
    const { url } = await serverOf(answerAt(() => own))
    own = url
    expect(await provingCheck().verdict({ url, instance })).toBe('refuted')
  })
})
