import type { RequestListener } from 'node:http'

import { SchemaRegistry as RegistryClient } from '@kafkajs/confluent-schema-registry'
import { describe, expect, test } from 'vitest'

import { stubServer } from '../../test/support/http/stub-server.ts'
import { registryTimeout } from './registry-timeout.ts'

const schema = JSON.stringify({ type: 'record', name: 'A', namespace: 'a', fields: [] })

describe('a registry that fails once after it took the request', () => {
  test.each<readonly [how: string, listener: RequestListener]>([
    ['stays silent', () => undefined],
    [
      'keeps sending bytes',
      (_, response) => {
        const dripping = setInterval(() => response.write(' '), 10)
        response.on('close', () => clearInterval(dripping))
      },
    ],
    [
      'closes the connection in the middle of its answer',
      (_, response) => {
        response.writeHead(200, { 'content-length': 100 })
        response.write('{"schema"', () => response.destroy())
      },
    ],
  ])('%s: the request ends in time, and the next one is answered', async (_, failing) => {
    let isFailing = true
    const host = await stubServer((request, response) => {
      if (isFailing) failing(request, response)
      else response.end(JSON.stringify({ schema }))
    })
    const client = new RegistryClient({ host, middlewares: [registryTimeout(1_500)] })
    await expect(client.getSchema(7)).rejects.toThrow(/no answer within 1500 ms|aborted/)
    isFailing = false
    expect(await client.getSchema(7)).toMatchObject({ name: 'a.A' })
  })
})

test('a registry that answers is not disturbed, and its errors keep their status', async () => {
  const host = await stubServer((request, response) => {
    response.writeHead(request.url === '/schemas/ids/7' ? 200 : 404)
    response.end(request.url === '/schemas/ids/7' ? JSON.stringify({ schema }) : '{"message":"no such id"}')
  })
  const client = new RegistryClient({ host, middlewares: [registryTimeout(5_000)] })
  expect(await client.getSchema(7)).toMatchObject({ name: 'a.A' })
  await expect(client.getSchema(8)).rejects.toMatchObject({ status: 404 })
})
