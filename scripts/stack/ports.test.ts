import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { assertFree, freePorts, isFree } from './ports.ts'

test('free ports are distinct and free', async () => {
  const ports = await freePorts(20)
  expect(new Set(ports).size).toBe(20)
  expect(await Promise.all(ports.map(isFree))).not.toContain(false)
})

test('every occupied port is reported with the part that needs it and the variable that changes it; a free one is not', async () => {
  const [free = 0, first = 0, second = 0] = await freePorts(3)
  const servers = [first, second].map((port) => createServer().listen(port, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const wishes = [
    { port: first, wantedBy: 'Kafka', variable: 'ANNALS_KAFKA_PORT' },
    { port: free, wantedBy: 'Registry', variable: 'ANNALS_REGISTRY_PORT' },
    { port: second, wantedBy: 'Redis', variable: 'ANNALS_REDIS_PORT' },
  ]
  const error: unknown = await assertFree(wishes).catch((e: unknown) => e)
  for (const server of servers) server.close()
  const lines = (error as Error).message.split('\n')
  expect(lines).toHaveLength(2)
  expect(lines[0]).toContain(`Port ${first}, which Kafka needs, is in use`)
  expect(lines[0]).toContain('ANNALS_KAFKA_PORT=')
  expect(lines[1]).toContain(`Port ${second}, which Redis needs`)
})
