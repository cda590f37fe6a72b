import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'

import { vi } from 'vitest'

import type { HttpRoute } from '#http'
import { KafkaCluster, LogError } from '#kafka'

import { type AllRoutes, startAllRoutes } from '../http/all-routes.ts'

type RouteAccess = NonNullable<HttpRoute['config']>['access']

/** A request to a service, as its route declares it. */
export interface RecordedRequest {
  readonly actions: readonly string[]
  readonly on?: string
}

/** Servers that record who reaches them, and fail nearly all requests. Of Kafka only the connecting is recorded. */
export interface RecordedReach {
  /** Settings of a command that reaches these servers. */
  readonly env: Readonly<Record<string, string>>
  /** `Kafka`, `Redis` or `registry`. */
  readonly reached: Set<string>
  readonly requests: RecordedRequest[]
  clear(): void
  stop(): Promise<void>
}

/** Answers that let a command go on to its next request. */
const answers: Readonly<Record<string, object>> = {
  'GET /owners': { partitions: [] },
  'POST /projections/:name/rebuild': { generation: 'g-1' },
}

/** Servers for one file of tests. */
export async function recordReach(): Promise<RecordedReach> {
  const reached = new Set<string>()
  const requests: RecordedRequest[] = []
  const services = await recordingServices(requests)
  const registry = createServer((_, response) => {
    reached.add('registry')
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error_code":40401,"message":"no"}')
  })
  const redis = failingRedis(() => reached.add('Redis'))
  const [registryPort, redisPort] = [await listening(registry), await listening(redis)]
  const connect = vi.spyOn(KafkaCluster, 'connect').mockImplementation(() => {
    reached.add('Kafka')
    return Promise.resolve(deadCluster)
  })
  return {
    env: {
      ANNALS_URL: services.url,
      ANNALS_REGISTRY_URL: `http://127.0.0.1:${registryPort}`,
      ANNALS_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    },
    ...{ reached, requests },
    clear: () => {
      reached.clear()
      requests.length = 0
    },
    stop: async () => {
      connect.mockRestore()
      registry.closeAllConnections()
      registry.close()
      redis.close()
      await services.app.close()
    },
  }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const info = 'redis_version:7.4.0\r\nredis_mode:standalone\r\nloading:0\r\n'
const redisAnswers: Readonly<Record<string, string>> = {
  hello: '%0\r\n',
  client: '+OK\r\n',
  info: `$${info.length}\r\n${info}\r\n`,
}

/** A Redis that accepts connections and fails every other command. */
function failingRedis(onReached: () => void): Server {
  return createTcpServer((socket) => {
    onReached()
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      for (const [, command = ''] of bytes.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g))
        socket.write(redisAnswers[command.toLowerCase()] ?? '-ERR it fails\r\n')
    })
  })
}

const recordingServices = (requests: RecordedRequest[]): Promise<AllRoutes> =>
  startAllRoutes({
    prepare: (app) => {
      app.addHook('onRequest', async (request, reply) => {
        const { method, params, routeOptions } = request
        requests.push(requestOf(routeOptions.config.access, params as Readonly<Record<string, string>>))
        const answer = answers[`${method} ${routeOptions.url ?? ''}`]
        const problem = { status: 404, code: 'stream-not-found', title: 'not found' }
        reply.code(answer === undefined ? 404 : 200).type('application/json')
        await reply.send(JSON.stringify(answer ?? problem))
      })
    },
  })

/** A route without a resource of its own is for the streams in the body. */
function requestOf(access: RouteAccess, params: Readonly<Record<string, string>>): RecordedRequest {
  if (access === undefined || access === 'public') throw new Error('a command used a route for everybody')
  if (access === 'authenticated') return { actions: [] }
  return { actions: access.actions, on: access.resource?.(params).kind ?? 'stream' }
}

/** A connection on which every request fails. */
const deadCluster = new Proxy({} as never, {
  get: (_, name) => {
    if (name === 'then') return undefined
    if (name === 'brokerIds') return []
    if (name === 'close') return () => Promise.resolve()
    return () => Promise.reject(new LogError('unavailable', 'no broker answers'))
  },
})
