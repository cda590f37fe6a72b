import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { alterUserScramCredentialsV0, Connection } from '@platformatic/kafka'

import {
  freePorts,
  type KafkaBroker,
  type Login,
  type Server,
  startKafka,
  startPostgres,
  startRedis,
  startRegistry,
} from '../../../scripts/stack/index.ts'
import { CertificateAuthority, writeCertified } from '../tls/certificates.ts'

/** Kafka, Redis, registry and PostgreSQL that accept only TLS, all but the registry with a login. */
export interface SecuredStack {
  /** Settings with which a service reaches all of them. */
  readonly env: Readonly<Record<SecuredSetting, string>>
  readonly password: string
  readonly authority: CertificateAuthority
  /** The certificate of {@link authority}. */
  readonly caFile: string
  stop(): Promise<void>
}

type SecuredSetting =
  | 'ANNALS_KAFKA_BROKERS'
  | 'ANNALS_KAFKA_SSL'
  | 'ANNALS_KAFKA_SSL_CA_FILE'
  | 'ANNALS_KAFKA_SASL_MECHANISM'
  | 'ANNALS_KAFKA_SASL_USERNAME'
  | 'ANNALS_KAFKA_SASL_PASSWORD'
  | 'ANNALS_REDIS_URL'
  | 'ANNALS_REDIS_CA_FILE'
  | 'ANNALS_REGISTRY_URL'
  | 'ANNALS_REGISTRY_CA_FILE'
  | 'ANNALS_PROJECTOR_STORE'
  | 'ANNALS_PROJECTOR_POSTGRES_URL'

interface Ground {
  readonly folder: string
  readonly login: Login
  readonly caFile: string
  readonly tls: { readonly certFile: string; readonly keyFile: string }
}

const report = () => undefined

/** Starts all four on free ports, with certificates of an authority of their own. */
export async function startSecuredStack(): Promise<SecuredStack> {
  const folder = await mkdtemp(join(tmpdir(), 'annals-secured-'))
  const authority = await CertificateAuthority.create()
  const caFile = join(folder, 'ca.crt')
  await writeFile(caFile, authority.cert)
  const login = { user: 'annals', password: randomBytes(16).toString('base64url') }
  const tls = await writeCertified(folder, 'server', await authority.server())
  const ground = { folder, login, caFile, tls }
  const [{ brokers, servers }, redis, postgres] = await Promise.all([
    securedKafkaAndRegistry(ground),
    securedRedis(ground),
    securedPostgres(ground),
  ])
  return {
    env: { ...brokers, ...redis.env, ...postgres.env },
    password: login.password,
    authority,
    caFile,
    stop: async () => {
      for (const server of [...servers, redis.server, postgres.server]) await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The registry stores its schemas in that Kafka, and logs in there. */
async function securedKafkaAndRegistry(ground: Ground) {
  const { folder, login, caFile, tls } = ground
  const [kafkaPort = 0, openPort = 0, controllerPort = 0, port = 0] = await freePorts(4)
  const kafka = await securedKafka(ground, kafkaPort, openPort, controllerPort)
  await addUser(openPort, login)
  const registry = await startRegistry({
    ...{ port, tls, folder: join(folder, 'registry'), logFile: join(folder, 'registry.log'), report },
    kafkaBrokers: `127.0.0.1:${kafkaPort}`,
    kafkaClient: {
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.jaas.config': `org.apache.kafka.common.security.scram.ScramLoginModule required username="${login.user}" password="${login.password}";`,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': caFile,
    },
  })
  const brokers = {
    ANNALS_KAFKA_BROKERS: `127.0.0.1:${kafkaPort}`,
    ANNALS_KAFKA_SSL: 'true',
    ANNALS_KAFKA_SSL_CA_FILE: caFile,
    ANNALS_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    ANNALS_KAFKA_SASL_USERNAME: login.user,
    ANNALS_KAFKA_SASL_PASSWORD: login.password,
    ANNALS_REGISTRY_URL: registry.url,
    ANNALS_REGISTRY_CA_FILE: caFile,
  } as const
  const servers: readonly Server[] = [registry, kafka]
  return { brokers, servers }
}

/** With a second listener, for the broker itself and to add the first user. */
async function securedKafka(
  { folder, tls }: Ground,
  port: number,
  openPort: number,
  controllerPort: number,
): Promise<KafkaBroker> {
  const keyStore = join(folder, 'kafka.pem')
  const parts = await Promise.all([tls.keyFile, tls.certFile].map((file) => readFile(file, 'utf8')))
  await writeFile(keyStore, parts.join('\n'), { mode: 0o600 })
  return startKafka({
    ...{ port: openPort, controllerPort, folder: join(folder, 'kafka'), logFile: join(folder, 'kafka.log') },
    report,
    settings: {
      listeners: `PLAINTEXT://127.0.0.1:${openPort},LOGIN://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${openPort},LOGIN://127.0.0.1:${port}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,LOGIN:SASL_SSL,CONTROLLER:PLAINTEXT',
      'listener.name.login.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.login.scram-sha-512.sasl.jaas.config':
        'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      'listener.name.login.ssl.keystore.type': 'PEM',
      'listener.name.login.ssl.keystore.location': keyStore,
    },
  })
}

const scramSha512 = 2
const iterations = 4096

async function addUser(port: number, { user, password }: Login): Promise<void> {
  const connection = new Connection('annals-test')
  await connection.connect('127.0.0.1', port)
  const salt = randomBytes(16)
  const saltedPassword = pbkdf2Sync(password, salt, iterations, 64, 'sha512')
  const added = { name: user, mechanism: scramSha512, iterations, salt, saltedPassword }
  await alterUserScramCredentialsV0.api.async(connection, [], [added])
  await connection.close()
}

async function securedRedis({ folder, login, caFile, tls }: Ground) {
  const [port = 0, tlsPort = 0] = await freePorts(2)
  const server = await startRedis({
    ...{ port, folder: join(folder, 'redis'), logFile: join(folder, 'redis.log') },
    password: login.password,
    settings: [
      ...['--tls-port', String(tlsPort), '--tls-auth-clients', 'no', '--tls-ca-cert-file', caFile],
      ...['--tls-cert-file', tls.certFile, '--tls-key-file', tls.keyFile],
    ],
  })
  const env = {
    ANNALS_REDIS_URL: `rediss://:${login.password}@127.0.0.1:${tlsPort}`,
    ANNALS_REDIS_CA_FILE: caFile,
  }
  return { env, server }
}

async function securedPostgres({ folder, login, caFile, tls }: Ground) {
  const [port = 0] = await freePorts(1)
  const server = await startPostgres({
    ...{ port, folder: join(folder, 'postgres'), logFile: join(folder, 'postgres.log'), tls },
    ...{ password: login.password, passage: [folder] },
  })
  const url = `postgres://annals:${login.password}@127.0.0.1:${port}/postgres`
  const env = {
    ANNALS_PROJECTOR_STORE: 'postgres',
    ANNALS_PROJECTOR_POSTGRES_URL: `${url}?sslmode=verify-full&sslrootcert=${caFile}`,
  }
  return { env, server }
}
