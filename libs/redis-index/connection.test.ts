import { type AddressInfo, createServer, type Socket } from 'node:net'

import { afterEach, expect, onTestFinished, test } from 'vitest'

import { InvalidInputError } from '#domain'

import { connectRedis, type RedisConnection } from './connection.ts'
import { IndexUnavailableError } from './errors.ts'

const open: RedisConnection[] = []
afterEach(() => open.splice(0).forEach((connection) => connection.close()))

function connect(url: string, settings: object = {}): RedisConnection {
  const connection = connectRedis({ url, keyPrefix: 'test', ...settings })
  open.push(connection)
  return connection
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test.each(['localhost:6379', 'http://127.0.0.1', 'redis://', 'redis://:secret@a:6379,b:6379'])(
  '%s is not a Redis URL, and its password is not repeated',
  (url) => {
    expect(() => connect(url)).toThrow(InvalidInputError)
    expect(() => connect(url)).toThrow('redis.url is malformed: expected redis://')
    expect(() => connect(url)).not.toThrow('secret')
  },
)

test.each(['', 'a{b', '}'])('key prefix "%s" is rejected: it would break the hash tag', (keyPrefix) => {
  expect(() => connect('redis://127.0.0.1:6379', { keyPrefix })).toThrow(InvalidInputError)
})

test.each([{ cluster: false }, { cluster: true }])(
  'when nothing listens, ready() times out and a command fails at once (%o)',
  async ({ cluster }) => {
    const port = await closedPort()
    const connection = connect(`redis://user:secret@127.0.0.1:${port}`, { cluster })
    const failure = await connection.ready(300).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(IndexUnavailableError)
    expect((failure as Error).message).toContain(`Redis at 127.0.0.1:${port}`)
    expect((failure as Error).message).not.toContain('secret')

    const started = performance.now()
    await expect(connection.call('PING', [])).rejects.toThrow(IndexUnavailableError)
    expect(performance.now() - started).toBeLessThan(200)
  },
)

test('a command without a connection fails with a readable reason', async () => {
  const port = await closedPort()
  const connection = connect(`redis://127.0.0.1:${port}`)
  await connection.ready(300).catch(() => undefined)
  await expect(connection.call('PING', [])).rejects.toThrow(
    `Redis at 127.0.0.1:${port}: not connected (connect ECONNREFUSED 127.0.0.1:${port})`,
  )
})

test('the message says why a connection failed', async () => {
  const port = await closedPort()
  await expect(connect(`redis://127.0.0.1:${port}`).ready(300)).rejects.toThrow('ECONNREFUSED')
})

/** A server that responds to each command with `answer`. */
async function listen(answer: (command: string, socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      for (const [, command] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        answer((command ?? '').toUpperCase(), socket)
      }
    })
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => void server.close())
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a server that accepts and never answers times out', async () => {
  const url = await listen(() => undefined)
  await expect(connect(url, { commandTimeoutMs: 100 }).ready(400)).rejects.toThrow(IndexUnavailableError)
})

test('an answer that trickles in times out, although the server is never silent', async () => {
  const url = await listen((command, socket) => {
    if (command === 'HELLO') socket.write("-ERR unknown command 'HELLO'\r\n")
    else if (command === 'CLIENT') socket.write('+OK\r\n')
    else if (command === 'INFO') socket.write('$9\r\nloading:0\r\n')
    else {
      socket.write('$100000\r\n')
      const drip = setInterval(() => socket.write('x'), 20)
      socket.once('close', () => clearInterval(drip))
    }
  })
  const connection = connect(url, { commandTimeoutMs: 200 })
  await connection.ready()
  const started = performance.now()
  await expect(connection.call('GET', ['a'])).rejects.toThrow(IndexUnavailableError)
  expect(performance.now() - started).toBeLessThan(1_000)
})
