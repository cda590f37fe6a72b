import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import { loadConfig } from '#config'
import { aggregateIdOf, parseStreamId } from '#domain'
import { KafkaCluster } from '#kafka'
import type { DoctorFinding } from '#operations'
import { connectRedis } from '#redis-index'
import { SchemaRegistry } from '#schemas'
import { kafkaSettings, openViewStore, redisSettings, registryOptions } from '#service'

import type { Totals } from '../../../examples/customers/totals.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import { testClient } from '../../support/services/closing.ts'
import { startServiceProcess } from '../../support/services/service-process.ts'
import { freshStream, purchases, testInstallation } from '../../support/services/writer-fixture.ts'
import { type SecuredStack, startSecuredStack } from '../../support/stack/secured-stack.ts'
import { CertificateAuthority, type Certified } from '../../support/tls/certificates.ts'
import { tlsPortWith } from '../../support/tls/faulty-tls.ts'

let stack: SecuredStack
let foreignCaFile: string
beforeAll(async () => {
  stack = await startSecuredStack()
  foreignCaFile = join(dirname(stack.caFile), 'foreign-ca.crt')
  await writeFile(foreignCaFile, (await CertificateAuthority.create('Another authority')).cert)
}, 120_000)
afterAll(() => stack.stop())

test('a platform appends, projects into PostgreSQL and reads back, with TLS and a login everywhere', async () => {
  const where = testInstallation(stack.env)
  const platform = await startServiceProcess('platform', where)
  onTestFinished(() => platform.stop())
  const client = testClient({ url: platform.url })
  const streamId = freshStream(where.type)
  const { position } = await client.append(streamId, purchases(12))
  expect(await client.state(streamId)).toMatchObject({ version: 12 })
  const key = aggregateIdOf(parseStreamId(streamId))
  const lifetimes = client.projection<Totals>(where.domain.projections.lifetime)
  const view = await lifetimes.get(key, { after: position, timeoutMs: 20_000 })
  expect(view?.view.purchases).toBe(12)
  expect(platform.logTail(1_000)).not.toContain(stack.password)
})

test('doctor finds that no server is open, which certificates expire soon, and shows no password', async () => {
  const where = testInstallation(stack.env)
  const { stdout, stderr } = await cliHere(where.env)(['doctor', '--json'])
  const { findings } = JSON.parse(stdout) as { findings: DoctorFinding[] }
  const about = (word: string) =>
    findings.filter(({ subject }) => subject.includes(word)).map(({ subject, status }) => [subject, status])
  expect(about('login')).toEqual([
    ['Kafka login', 'ok'],
    ['Redis login', 'ok'],
    ['PostgreSQL login', 'ok'],
  ])
  expect(about('certificate of').map(([, status]) => status)).toEqual(['warn', 'warn', 'warn'])
  expect(about('_CA_FILE').map(([, status]) => status)).toEqual(['warn', 'warn', 'warn'])
  expect(stdout + stderr).not.toContain(stack.password)
})

type Env = Readonly<Record<string, string>>

const variables = {
  kafka: 'ANNALS_KAFKA_BROKERS',
  redis: 'ANNALS_REDIS_URL',
  registry: 'ANNALS_REGISTRY_URL',
  postgres: 'ANNALS_PROJECTOR_POSTGRES_URL',
} as const
type Backend = keyof typeof variables
const backends = Object.keys(variables) as Backend[]

const patienceMs = 3_000

/** Connects to one server, as a service does when it starts, but gives up earlier. */
const opening: Readonly<Record<Backend, (env: Env) => Promise<unknown>>> = {
  kafka: async (env) => {
    const cluster = await KafkaCluster.connect(kafkaSettings(loadConfig(env)), { timeoutMs: patienceMs })
    await cluster.close()
  },
  redis: async (env) => {
    const redis = connectRedis(redisSettings(loadConfig(env)))
    await redis.ready(patienceMs).finally(() => redis.close())
  },
  registry: (env) => new SchemaRegistry(registryOptions(loadConfig(env))).versionsOf('none'),
  postgres: async (env) => {
    const redis = connectRedis(redisSettings(loadConfig(env)))
    const store = openViewStore(loadConfig(env), redis)
    redis.close()
    await store.generations
      .list({ name: 'none' } as Parameters<typeof store.generations.list>[0])
      .finally(() => store.close())
  },
}

const withPort = (backend: Backend, port: number): Env => {
  const address = stack.env[variables[backend]]
  return { [variables[backend]]: address.replace(/(127\.0\.0\.1):\d+/, `$1:${port}`) }
}

/** A port that has another certificate than the client expects. */
const presenting = async (backend: Backend, certified: Promise<Certified>): Promise<Env> =>
  withPort(backend, await tlsPortWith(await certified, backend === 'postgres'))

/** A registry that asks for a login, which Apicurio does only with an identity provider. */
async function registryWithLogin(): Promise<Env> {
  const { cert, key } = await stack.authority.server()
  const server = createServer({ cert, key }, (_, response) => response.writeHead(401).end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return {
    ...withPort('registry', (server.address() as AddressInfo).port),
    ANNALS_REGISTRY_USERNAME: 'annals',
    ANNALS_REGISTRY_PASSWORD: 'wrong-password',
  }
}

const without = (backend: Backend, ...texts: readonly (readonly [string, string])[]): Env => ({
  [variables[backend]]: texts.reduce(
    (address, [from, to]) => address.replace(from, to),
    stack.env[variables[backend]],
  ),
})

const anHourAgo = () => new Date(Date.now() - 3_600_000)
const yesterday = () => new Date(Date.now() - 86_400_000)
const expired = () => stack.authority.server({ validFrom: yesterday(), validUntil: anHourAgo() })
const ofAnotherHost = () => stack.authority.server({ names: ['elsewhere.example'] })

interface Case {
  readonly name: string
  readonly change: (backend: Backend) => Promise<Env> | Env
  /** What the error must name, by server. */
  readonly named: Readonly<Record<Backend, RegExp>>
}

const cases: readonly Case[] = [
  {
    name: 'a wrong password',
    change: async (backend) =>
      ({
        kafka: { ANNALS_KAFKA_SASL_PASSWORD: 'wrong-password' },
        redis: without('redis', [stack.password, 'wrong-password']),
        registry: await registryWithLogin(),
        postgres: without('postgres', [stack.password, 'wrong-password']),
      })[backend],
    named: {
      kafka: /refused these credentials.*ANNALS_KAFKA_SASL_PASSWORD/,
      redis: /WRONGPASS.*password in ANNALS_REDIS_URL/,
      registry: /HTTP 401.*ANNALS_REGISTRY_PASSWORD/,
      postgres: /password authentication failed.*password in ANNALS_PROJECTOR_POSTGRES_URL/,
    },
  },
  {
    name: 'no password',
    change: async (backend) =>
      ({
        kafka: {
          ANNALS_KAFKA_SASL_MECHANISM: '',
          ANNALS_KAFKA_SASL_USERNAME: '',
          ANNALS_KAFKA_SASL_PASSWORD: '',
        },
        redis: without('redis', [`:${stack.password}@`, '']),
        registry: await registryWithLogin(),
        postgres: without('postgres', [`:${stack.password}`, '']),
      })[backend],
    named: {
      kafka: /ANNALS_KAFKA_SASL_MECHANISM/,
      redis: /NOAUTH.*set ANNALS_REDIS_URL/,
      registry: /HTTP 401.*ANNALS_REGISTRY_PASSWORD/,
      postgres: /it asks for a password: set it in ANNALS_PROJECTOR_POSTGRES_URL/,
    },
  },
  {
    name: 'an authority that did not sign',
    change: (backend) =>
      ({
        kafka: { ANNALS_KAFKA_SSL_CA_FILE: foreignCaFile },
        redis: { ANNALS_REDIS_CA_FILE: foreignCaFile },
        registry: { ANNALS_REGISTRY_CA_FILE: foreignCaFile },
        postgres: without('postgres', [stack.caFile, foreignCaFile]),
      })[backend],
    named: {
      kafka: /ANNALS_KAFKA_SSL_CA_FILE/,
      redis: /ANNALS_REDIS_CA_FILE/,
      registry: /ANNALS_REGISTRY_CA_FILE/,
      postgres: /sslrootcert in ANNALS_PROJECTOR_POSTGRES_URL/,
    },
  },
  {
    name: 'an expired certificate',
    change: (backend) => presenting(backend, expired()),
    named: {
      kafka: /expired.*renew it, or correct ANNALS_KAFKA_BROKERS/,
      redis: /expired.*renew it, or correct ANNALS_REDIS_URL/,
      registry: /expired.*renew it, or correct ANNALS_REGISTRY_URL/,
      postgres: /expired.*renew it, or correct ANNALS_PROJECTOR_POSTGRES_URL/,
    },
  },
  {
    name: 'the certificate of another host',
    change: (backend) => presenting(backend, ofAnotherHost()),
    named: {
      kafka: /ANNALS_KAFKA_BROKERS must use a name/,
      redis: /ANNALS_REDIS_URL must use a name/,
      registry: /ANNALS_REGISTRY_URL must use a name/,
      postgres: /ANNALS_PROJECTOR_POSTGRES_URL must use a name/,
    },
  },
  {
    name: 'no TLS',
    change: (backend) =>
      ({
        kafka: { ANNALS_KAFKA_SSL: '', ANNALS_KAFKA_SSL_CA_FILE: '' },
        redis: { ...without('redis', ['rediss:', 'redis:']), ANNALS_REDIS_CA_FILE: '' },
        registry: { ...without('registry', ['https:', 'http:']), ANNALS_REGISTRY_CA_FILE: '' },
        postgres: without('postgres', ['verify-full', 'disable'], [`&sslrootcert=${stack.caFile}`, '']),
      })[backend],
    named: {
      kafka: /set ANNALS_KAFKA_SSL=true/,
      redis: /it may ask for TLS: ANNALS_REDIS_URL/,
      registry: /it may ask for TLS: ANNALS_REGISTRY_URL/,
      postgres: /it asks for TLS: add sslmode=verify-full to ANNALS_PROJECTOR_POSTGRES_URL/,
    },
  },
]

test.each(cases)('with $name no server is reached, and each error names the setting', async (faulty) => {
  await Promise.all(backends.map((backend) => expectFailure(backend, faulty)))
})

async function expectFailure(backend: Backend, { change, named }: Case): Promise<void> {
  const env = { ...stack.env, ...(await change(backend)) }
  const error = await opening[backend](env).then(
    () => undefined,
    (failure: unknown) => failure,
  )
  expect(error, backend).toBeInstanceOf(Error)
  const { message } = error as Error
  expect(message).toMatch(named[backend])
  for (const secret of [stack.password, 'wrong-password']) expect(message).not.toContain(secret)
}
