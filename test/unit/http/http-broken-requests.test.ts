import { connect } from 'node:net'

import { Type } from '@sinclair/typebox'
import { expect, test } from 'vitest'

import { bareServer } from '../../support/http/bare-server.ts'
import { bytesOf, type RawAnswer, readAnswer, sendBytes } from '../../fuzz/raw-http.ts'

/** A server that expects complete requests within a second. */
async function server(): Promise<{ url: string; close: () => Promise<void> }> {
  const app = await bareServer({ requestTimeoutMs: 1_000 })
  app.post(
    '/echo',
    { schema: { body: Type.Object({ a: Type.Integer() }) }, config: { access: 'public' } },
    (request) => request.body,
  )
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() }
}

const problemOf = ({ status, type, body }: RawAnswer) => {
  expect(type).toMatch(/^application\/problem\+json/)
  return { status, ...(JSON.parse(body) as object) }
}

const head = 'POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'

test.each([
  ['the headers', `${head}x-slow: `],
  ['the body', `${head}content-length: 100\r\n\r\n{"a":`],
  ['a chunk', `${head}transfer-encoding: chunked\r\n\r\nff\r\n{"a":`],
])(
  'a request that never completes %s is ended with a reason',
  async (_, begun) => {
    const { url, close } = await server()
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const parts: Buffer[] = []
    socket.on('data', (part) => parts.push(part))
    const drip = setInterval(() => socket.writable && socket.write('x'), 100)
    try {
      await new Promise<void>((resolve, reject) => {
        socket.on('close', () => resolve())
        socket.on('error', () => resolve())
        setTimeout(() => reject(new Error('it was not ended')), 15_000).unref()
        socket.write(begun)
      })
    } finally {
      clearInterval(drip)
      await close()
    }
    const answer = readAnswer(Buffer.concat(parts))
    expect(problemOf(answer)).toMatchObject({ status: 408, code: 'request-timeout' })
  },
  20_000,
)

test.each([
  ['text that is not HTTP', Buffer.from('\0\x16\x03\x01 hello\r\n\r\n'), 400, 'request-malformed'],
  ['a header without a name', Buffer.from(`${head}: x\r\n\r\n`), 400, 'request-malformed'],
  [
    'two lengths',
    Buffer.from(`${head}content-length: 1\r\ncontent-length: 2\r\n\r\n`),
    400,
    'request-malformed',
  ],
  [
    'too many headers',
    Buffer.from(`${head}x-large: ${'x'.repeat(20_000)}\r\n\r\n`),
    431,
    'headers-too-large',
  ],
])('%s is rejected with a problem document', async (_, bytes, status, code) => {
  const { url, close } = await server()
  try {
    expect(problemOf(await sendBytes(url, bytes))).toMatchObject({ status, code, retry: 'never' })
  } finally {
    await close()
  }
})

test('an invalid path and an unsupported expectation get problem documents, too', async () => {
  const { url, close } = await server()
  const headers = [
    ['host', 'localhost'],
    ['connection', 'close'],
  ] as const
  try {
    const path = { method: 'GET', target: '/%ZZ', headers, body: undefined }
    expect(problemOf(await sendBytes(url, bytesOf(path)))).toMatchObject({
      status: 400,
      code: 'invalid-request',
    })
    const expecting = { ...path, target: '/health/live', headers: [...headers, ['expect', 'more'] as const] }
    expect(await sendBytes(url, bytesOf(expecting))).toMatchObject({ status: 200 })
  } finally {
    await close()
  }
})

test('garbage after a valid request does not affect that request', async () => {
  const { url, close } = await server()
  const body = '{"a":1}'
  try {
    const bytes = Buffer.from(`${head}content-length: ${body.length}\r\n\r\n${body}\0garbage\r\n\r\n`)
    expect(await sendBytes(url, bytes)).toMatchObject({ status: 200 })
  } finally {
    await close()
  }
})
