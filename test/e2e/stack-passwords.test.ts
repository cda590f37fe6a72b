import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'

import { loadConfig, stackPasswordNames } from '#config'
import { KafkaCluster } from '#kafka'
import { PostgresViewStore } from '#projections-postgres'
import { kafkaSettings } from '#service'

import {
  redisCommand,
  repository,
  startKafka,
  startPostgres,
  startRedis,
  startRegistry,
} from '../../scripts/stack/index.ts'
import { cliWith } from '../support/cli/cli.ts'
import { openToOthers } from '../support/operations/open-to-others.ts'
import { type LocalStack, localStack } from './local-stack.ts'

let stack: LocalStack
beforeEach(async () => {
  stack = await localStack()
})
afterEach(() => stack.remove())

const withPostgres = { ANNALS_POSTGRES: '1', ANNALS_PROJECTOR_STORE: 'postgres' }
const port = (name: string): number => Number(stack.env[`ANNALS_${name}_PORT`])
const postgresUrl = (password = ''): string =>
  `postgres://annals${password === '' ? '' : `:${password}`}@127.0.0.1:${port('POSTGRES')}/postgres`

/** Servers on the data of this stack as a version without passwords started them. */
async function startOldServers(): Promise<{ stop: () => Promise<void> }> {
  const { data, logs } = stack.folders
  const places = (name: string) => ({ folder: join(data, name), logFile: join(logs, `${name}.log`) })
  const report = () => undefined
  const kafka = { port: port('KAFKA'), controllerPort: port('KAFKA_CONTROLLER'), ...places('kafka'), report }
  const kafkaBrokers = `127.0.0.1:${kafka.port}`
  const servers = await Promise.all([
    startRegistry({ port: port('REGISTRY'), kafkaBrokers, ...places('registry'), report }),
    startKafka(kafka),
    startRedis({ port: port('REDIS'), ...places('redis') }),
    startPostgres({
      ...{ port: port('POSTGRES'), ...places('postgres') },
      passage: [stack.folders.home, data],
    }),
  ])
  return {
    stop: async () => {
      for (const server of servers) await server.stop()
    },
  }
}

const withoutLogin = () => ({
  ANNALS_KAFKA_BROKERS: `127.0.0.1:${port('KAFKA')}`,
  ANNALS_REDIS_URL: `redis://127.0.0.1:${port('REDIS')}`,
  ANNALS_REGISTRY_URL: `http://127.0.0.1:${port('REGISTRY')}/apis/ccompat/v7`,
})

const annals = () => cliWith({ ANNALS_HOME: stack.folders.home }, join(repository, 'annals'))

async function append(): Promise<void> {
  const data = JSON.stringify({ date: '2026-01-31', cds: 2, amount: '29.33' })
  const appended = await annals()(['append', 'customer.c-1', 'PurchaseMade', '--data', data])
  expect(appended).toMatchObject({ exitCode: 0 })
}

async function viewOf(key: string): Promise<unknown> {
  const shown = await annals()(['projection', 'view', 'customer-lifetime', key, '--json'])
  return shown.json()
}

/** The servers reject those who have no password, or a wrong one. */
async function expectLocked(): Promise<void> {
  const redis = { host: '127.0.0.1', port: port('REDIS') }
  expect(await redisCommand(redis, 'PING')).toContain('NOAUTH')
  expect(await redisCommand({ ...redis, password: 'wrong' }, 'PING')).toContain('NOAUTH')
  for (const login of [
    {},
    {
      ANNALS_KAFKA_SASL_MECHANISM: 'PLAIN',
      ANNALS_KAFKA_SASL_USERNAME: 'annals',
      ANNALS_KAFKA_SASL_PASSWORD: 'wrong',
    },
  ]) {
    for (const broker of [port('KAFKA'), port('KAFKA_CONTROLLER')]) {
      const settings = kafkaSettings(loadConfig({ ...login, ANNALS_KAFKA_BROKERS: `127.0.0.1:${broker}` }))
      await expect(KafkaCluster.connect(settings, { timeoutMs: 2_000 })).rejects.toThrow()
    }
  }
  for (const password of ['', 'wrong']) {
    const store = PostgresViewStore.open({ url: postgresUrl(password) })
    onTestFinished(() => store.close())
    await expect(store.prepare()).rejects.toThrow(/password/)
  }
}

function filesUnder(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path).flatMap((name) => filesUnder(join(path, name)))
}

/** Nothing that others read, or that is stored for long, has a password in it. */
function expectSecret(passwords: readonly string[], ...outputs: readonly string[]): void {
  const arguments_ = spawnSync('ps', ['axww', '-o', 'args'], { encoding: 'utf8' }).stdout
  expect(arguments_).toContain('kafka.Kafka')
  const { logs, run } = stack.folders
  const texts = [
    arguments_,
    ...outputs,
    ...[logs, run].flatMap(filesUnder).map((file) => readFileSync(file, 'utf8')),
  ]
  for (const password of passwords) expect(texts.some((text) => text.includes(password))).toBe(false)
}

test(
  'a stack without passwords gets them at the next start and keeps its data; nobody gets in without, and nothing shows them',
  { timeout: 480_000 },
  async () => {
    const old = await startOldServers()
    const external = { ANNALS_PROJECTOR_STORE: 'postgres', ANNALS_PROJECTOR_POSTGRES_URL: postgresUrl() }
    const before = await stack.run('start.sh', ['--detach', '--no-demo', '--stack', 'external'], {
      ...withoutLogin(),
      ...external,
    })
    expect(before).toMatchObject({ exitCode: 0 })
    await append()
    await expect.poll(() => viewOf('c-1')).toMatchObject({ view: { purchases: 1 } })
    await stack.run('stop.sh')
    await old.stop()

    const started = await stack.run('start.sh', ['--detach', '--no-demo'], withPostgres)
    expect(started).toMatchObject({ exitCode: 0 })
    const passwords = stackPasswordNames.map((name) =>
      readFileSync(join(stack.folders.secrets, name), 'utf8').trim(),
    )
    expect(new Set(passwords).size).toBe(3)
    for (const password of passwords) expect(password).toMatch(/^[\w-]{43}$/)
    expect(openToOthers(stack.folders.secrets)).toEqual([])
    await expectLocked()
    await append()
    await expect.poll(() => viewOf('c-1')).toMatchObject({ view: { purchases: 2 } })
    const doctor = await annals()(['doctor', '--json'])
    expect(doctor).toMatchObject({ exitCode: 0 })
    const { findings } = doctor.json() as { findings: { subject: string; status: string }[] }
    const logins = findings.filter(({ subject }) => subject.endsWith(' login'))
    expect(logins.map(({ status }) => status)).toEqual(['ok', 'ok'])
    expectSecret(passwords, started.output, doctor.stdout, doctor.stderr)
    await stack.run('stop.sh')

    expect(await stack.run('start.sh', ['--detach', '--no-demo'], withPostgres)).toMatchObject({
      exitCode: 0,
    })
    expect(readFileSync(join(stack.folders.secrets, 'redis'), 'utf8').trim()).toBe(passwords[1])
    expect(await viewOf('c-1')).toMatchObject({ view: { purchases: 2 } })
  },
)
