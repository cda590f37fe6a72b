import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { kafkaAnswers } from '../../faults/harness/cluster/kafka-answers.ts'
import { Link } from '../../faults/harness/cluster/link.ts'

let received: string
let server: Server
let link: Link
const sockets: Socket[] = []

/** A server that records what it receives and answers every piece with `re:` and the piece. */
beforeEach(async () => {
  received = ''
  server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      received += bytes.toString()
      socket.write(`re:${bytes.toString()}`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  link = await Link.open('a→b', (server.address() as AddressInfo).port)
})

afterEach(async () => {
  sockets.splice(0).forEach((socket) => socket.destroy())
  await link.close()
  await new Promise((resolve) => server.close(resolve))
})

interface Caller {
  readonly socket: Socket
  readonly answers: () => string
  readonly isClosed: () => boolean
}

async function caller(): Promise<Caller> {
  const socket = connect(link.port, '127.0.0.1')
  sockets.push(socket)
  let answers = ''
  let closed = false
  socket.on('error', () => undefined)
  socket.on('data', (bytes) => (answers += bytes.toString()))
  socket.on('close', () => (closed = true))
  await once(socket, 'connect')
  return { socket, answers: () => answers, isClosed: () => closed }
}

const soon = { timeout: 20_000, interval: 5 }

test('a healthy link passes data both ways', async () => {
  const { socket, answers } = await caller()
  socket.write('hello')
  await expect.poll(answers, soon).toBe('re:hello')
})

test('a cut link breaks connections and accepts no new ones until it is healed', async () => {
  const old = await caller()
  link.suffer('cut')
  await expect.poll(old.isClosed, soon).toBe(true)
  const refused = await caller()
  await expect.poll(refused.isClosed, soon).toBe(true)
  link.heal()
  const { socket, answers } = await caller()
  socket.write('again')
  await expect.poll(answers, soon).toBe('re:again')
  expect(received).toBe('again')
})

test('a half-open link swallows data and stays open; after healing, the affected connection ends', async () => {
  const torn = await caller()
  link.suffer('half-open')
  torn.socket.write('lost')
  const other = await caller()
  other.socket.write('lost as well')
  const untouched = await caller()
  await expect.poll(() => other.socket.bytesWritten, soon).toBe(12)
  expect([torn.isClosed(), other.isClosed(), received]).toEqual([false, false, ''])
  link.heal()
  await expect.poll(() => torn.isClosed() && other.isClosed(), soon).toBe(true)
  untouched.socket.write('whole')
  await expect.poll(untouched.answers, soon).toBe('re:whole')
})

test('with dropped replies the request arrives, and the connection ends without an answer', async () => {
  const { socket, answers, isClosed } = await caller()
  link.suffer('drop-replies')
  socket.write('do it')
  await expect.poll(isClosed, soon).toBe(true)
  expect([received, answers()]).toEqual(['do it', ''])
})

test('a delayed link is late and keeps the order when the delay ends in between', async () => {
  const { socket, answers } = await caller()
  link.suffer('delay')
  const sentAtMs = performance.now()
  socket.write('1')
  await expect.poll(answers, soon).toBe('re:1')
  expect(performance.now() - sentAtMs).toBeGreaterThan(500)
  socket.write('2')
  await new Promise((resolve) => setTimeout(resolve, 20))
  link.heal()
  socket.write('3')
  await expect.poll(() => received, soon).toBe('123')
})

test('brokers are named by the ports of their links, even when a reply arrives in pieces', () => {
  const address = (port: number) => {
    const bytes = Buffer.concat([Buffer.from('127.0.0.1'), Buffer.alloc(4)])
    bytes.writeInt32BE(port, 9)
    return bytes
  }
  const answer = (...ports: number[]) => {
    const body = Buffer.concat(ports.map(address))
    const length = Buffer.alloc(4)
    length.writeInt32BE(body.length)
    return Buffer.concat([length, body])
  }
  const ports = new Map([
    [9_092, 17_001],
    [9_093, 17_002],
  ])
  const bytes = Buffer.concat([answer(9_092, 9_093), answer(9_099, 9_092)])
  const translated = Buffer.concat([answer(17_001, 17_002), answer(9_099, 17_001)])
  for (let size = 1; size <= bytes.length; size++) {
    const translate = kafkaAnswers(ports)
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size)
      pieces.push(Buffer.from(translate(Buffer.from(bytes.subarray(at, at + size)))))
    expect(Buffer.concat(pieces)).toEqual(translated)
  }
})
