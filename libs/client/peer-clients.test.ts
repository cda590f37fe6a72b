import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, onTestFinished, test } from 'vitest'

import { newEventId } from '#domain'

import { PeerClients, type PeerSender } from './peer-clients.ts'

interface Received {
  readonly token: string | undefined
  readonly forwarded: string | undefined
  readonly streams: readonly string[]
}

/** A writer that accepts every append, when it may. */
async function acceptingWriter(mayAnswer: Promise<unknown> = Promise.resolve()) {
  const received: Received[] = []
  const sockets = new Set<unknown>()
  const server = createServer((request, response) => {
    void Array.fromAsync(request as AsyncIterable<Buffer>).then(async (chunks) => {
      const { appends } = JSON.parse(Buffer.concat(chunks).toString()) as { appends: { streamId: string }[] }
      const streams = appends.map(({ streamId }) => streamId)
      const { 'annals-peer': token, 'annals-forwarded': forwarded } = request.headers
      received.push({ token: token?.toString(), forwarded: forwarded?.toString(), streams })
      await mayAnswer
      const results = streams.map((streamId) => ({ status: 201, streamId, ...appended }))
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ results }))
    })
  })
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, sockets }
}

const appended = {
  firstVersion: 1,
  lastVersion: 1,
  position: 'eventstore.order:0:0',
  eventIds: [newEventId()],
  duplicate: false,
}
const event = () => ({ id: newEventId(), type: 'OrderPlaced', data: {} })

/** Signs with a number, so that no two tokens are equal. */
function senders() {
  let signed = 0
  return (name: string): PeerSender => ({
    key: name,
    headersFor: (url) => Promise.resolve({ 'annals-peer': `${name} ${++signed} ${url}` }),
  })
}

function peersOf(): PeerClients {
  const peers = new PeerClients(5_000)
  onTestFinished(() => peers.close())
  return peers
}

test('appends of one sender share a request, those of several never do', async () => {
  const { url, received } = await acceptingWriter()
  const peers = peersOf()
  const sender = senders()
  const append = (name: string, id: number) =>
    peers.at(url, sender(name)).append(`order.${name}-${id}`, [event()])
  await Promise.all(['ada', 'bob', 'ada', 'bob', 'eve'].map((name, id) => append(name, id)))
  expect(received.map(({ streams }) => streams).toSorted()).toEqual([
    ['order.ada-0', 'order.ada-2'],
    ['order.bob-1', 'order.bob-3'],
    ['order.eve-4'],
  ])
  for (const { token, streams } of received) {
    expect(token).toContain(streams[0]?.slice('order.'.length, -2))
    expect(token?.endsWith(url)).toBe(true)
  }
})

test('every request has a token of its own', async () => {
  const { url, received } = await acceptingWriter()
  const peers = peersOf()
  const sender = senders()('ada')
  for (const id of [1, 2, 3]) await peers.at(url, sender).append(`order.${id}`, [event()])
  expect(new Set(received.map(({ token }) => token)).size).toBe(3)
})

test('all senders use the same connections', async () => {
  const { url, sockets } = await acceptingWriter()
  const peers = peersOf()
  const sender = senders()
  for (let id = 0; id < 50; id++) await peers.at(url, sender(`user-${id}`)).append('order.1', [event()])
  expect(sockets.size).toBeLessThan(5)
})

test('without a sender nothing is signed', async () => {
  const { url, received } = await acceptingWriter()
  await peersOf().at(url).append('order.1', [event()])
  expect(received).toEqual([{ token: undefined, forwarded: '1', streams: ['order.1'] }])
})

test('a client that was forgotten still finishes its requests', async () => {
  const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<undefined>()
  const { url, received } = await acceptingWriter(mayAnswer)
  const peers = peersOf()
  const sender = senders()
  // More than are in flight at a time: some wait in the client.
  const first = peers.at(url, sender('first'))
  const appends: Promise<unknown>[] = []
  for (let id = 0; id < 8; id++) {
    appends.push(first.append(`order.${id}`, [event()]))
    await Promise.resolve()
  }
  await expect.poll(() => received.length).toBeGreaterThanOrEqual(4)
  for (let id = 0; id < 1_500; id++) peers.at(url, sender(`user-${id}`))
  expect(peers.at(url, sender('first'))).not.toBe(first)
  answer(undefined)
  await expect(Promise.all(appends)).resolves.toHaveLength(8)
})

test('a request that cannot be signed is not sent', async () => {
  const { url, received } = await acceptingWriter()
  const failing = { key: 'ada', headersFor: () => Promise.reject(new Error('no key')) }
  await expect(peersOf().at(url, failing).append('order.1', [event()])).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/was not sent.*no key/) as string,
  })
  expect(received).toEqual([])
})
