import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { freePorts } from '../stack/index.ts'
import { external } from './external.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listening(server: Server): Promise<number> {
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const start = (which: 'kafka' | 'redis' | 'registry', address: string) =>
  external(which, address).start(
    () => undefined,
    () => undefined,
  )

test('one reachable broker of several is enough', async () => {
  const port = await listening(createServer())
  const [dead = 0] = await freePorts(1)
  const [kafka] = await start('kafka', `127.0.0.1:${dead}, 127.0.0.1:${port}`)
  expect(kafka?.pids).toEqual([])
  expect(await kafka?.healthy()).toBe(true)
})

test('unreachable brokers are named, each with its port and the variable', async () => {
  const [first = 0, second = 0] = await freePorts(2)
  const brokers = `127.0.0.1:${first},127.0.0.1:${second}`
  await expect(start('kafka', brokers)).rejects.toThrow(
    `Kafka (ANNALS_KAFKA_BROKERS=${brokers}): 127.0.0.1:${first} cannot be reached (ECONNREFUSED); 127.0.0.1:${second}`,
  )
})

test.each([
  ['kafka', 'localhost', 'localhost is not host:port'],
  ['redis', 'localhost', 'this is not a URL'],
] as const)('a malformed address of %s is reported', async (which, address, problem) => {
  await expect(start(which, address)).rejects.toThrow(problem)
})

test('a password in a URL is not shown', async () => {
  const [port = 0] = await freePorts(1)
  const error: unknown = await start('redis', `redis://user:secret@127.0.0.1:${port}`).catch(
    (e: unknown) => e,
  )
  expect((error as Error).message).toContain(`redis://…@127.0.0.1:${port}`)
  expect((error as Error).message).not.toContain('secret')
})

test.each([
  [200, true],
  [401, true],
  [404, false],
  [503, false],
])('whether a response of %i identifies a registry: %s', async (status, taken) => {
  const port = await listening(createHttpServer((_, response) => response.writeHead(status).end()))
  const started = await start('registry', `http://127.0.0.1:${port}`).then(
    () => true,
    () => false,
  )
  expect(started).toBe(taken)
})
