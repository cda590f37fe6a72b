import { join } from 'node:path'
import {
  ask,
  describe,
  httpOk,
  liveBrokers,
  provideSecrets,
  type Server,
  startKafka,
  startPostgres,
  startRedis,
  startRegistry,
  withLog,
} from '../stack/index.ts'
import { stackUser } from '#config'

import { external } from './external.ts'
import { registryLogin } from './registry-login.ts'
import type { Part, RunningPart } from './part.ts'
import type { StackSettings } from './settings.ts'

/** Servers as processes of this machine, except those that the environment names. */
export function nativeParts(settings: StackSettings): Part[] {
  // The registry stores its schemas in Kafka, so it is last here and stops first.
  return [
    kafka(settings),
    redis(settings),
    ...(settings.postgres ? [postgres(settings)] : []),
    registry(settings),
  ]
}

function kafka(settings: StackSettings): Part {
  if (settings.external.kafka !== undefined) return external('kafka', settings.external.kafka)
  const { kafka: port, kafkaController: controllerPort } = settings.ports
  return {
    name: 'Kafka',
    ports: ['kafka', 'kafkaController'],
    start: async (report) => {
      const login = { user: stackUser, password: provideSecrets(settings.folders).kafka }
      const server = await startKafka({ port, controllerPort, ...places(settings, 'kafka'), login, report })
      const healthy = async () => (await liveBrokers(local(port), login)).length > 0
      return [{ ...running(server, server.address, healthy), needsLogin: true }]
    },
  }
}

function redis(settings: StackSettings): Part {
  if (settings.external.redis !== undefined) return external('redis', settings.external.redis)
  const port = settings.ports.redis
  return {
    name: 'Redis',
    ports: ['redis'],
    start: async (report) => {
      const server = await startRedis({
        ...{ port, maxMemory: settings.redisMaxMemory, password: provideSecrets(settings.folders).redis },
        ...places(settings, 'redis'),
        report,
      })
      return [{ ...running(server, server.url, () => answers(port)), needsLogin: true }]
    },
  }
}

function postgres(settings: StackSettings): Part {
  const port = settings.ports.postgres
  return {
    name: 'PostgreSQL',
    ports: ['postgres'],
    start: async (report) => {
      const server = await startPostgres({
        ...{ port, ...places(settings, 'postgres'), report },
        passage: [settings.folders.home, settings.folders.data],
        password: provideSecrets(settings.folders).postgres,
      })
      return [{ ...running(server, server.url, () => answers(port)), needsLogin: true }]
    },
  }
}

function registry(settings: StackSettings): Part {
  if (settings.external.registry !== undefined) return external('registry', settings.external.registry)
  const kafkaBrokers = settings.external.kafka ?? `127.0.0.1:${settings.ports.kafka}`
  return {
    name: 'Schema registry',
    ports: ['registry'],
    start: async (report) => {
      const port = settings.ports.registry
      const server = await startRegistry({
        ...{ port, kafkaBrokers, kafkaClient: registryLogin(settings, process.env) },
        ...places(settings, 'registry'),
        report,
      })
      return [running(server, server.url, () => httpOk(`${server.url}/subjects`))]
    },
  }
}

async function answers(port: number): Promise<boolean> {
  await ask(local(port))
  return true
}

function local(port: number) {
  return { host: '127.0.0.1', port }
}

function places({ folders }: StackSettings, name: string) {
  return { folder: join(folders.data, name), logFile: join(folders.logs, `${name}.log`) }
}

function running(server: Server, address: string, healthy: () => Promise<boolean>): RunningPart {
  const { name, pid, logFile } = server
  return {
    name,
    address,
    pids: [pid],
    healthy,
    stop: () => server.stop(),
    ended: server.exited.then(
      (exit) => withLog(new Error(`${name} exited unexpectedly (${describe(exit)})`), logFile).message,
    ),
  }
}
