import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, ResourcePatternTypes } from 'kafkajs'

import { freePorts, startKafka } from '../../../scripts/stack/index.ts'

/** One row of a table of rights: an operation that a user may perform on resources of one type. */
export interface Right {
  readonly user: string
  readonly resource: 'TOPIC' | 'GROUP' | 'TRANSACTIONAL_ID' | 'CLUSTER'
  /** A prefix if it ends with `*`. */
  readonly name: string
  readonly operation: keyof typeof AclOperationTypes
}

/** A separate Kafka whose users log in and have only the rights granted to them. */
export interface KafkaWithUsers {
  /** A listener without authentication and with all rights. */
  readonly openAddress: string
  /** Settings of a service that logs in as this user (SASL_PLAINTEXT, PLAIN). */
  login(user: string): Readonly<Record<string, string>>
  grant(rights: readonly Right[]): Promise<void>
  stop(): Promise<void>
}

const loginModule = 'org.apache.kafka.common.security.plain.PlainLoginModule'

/** Clients of the open listener, such as the broker itself and administrators, have all rights. */
export async function startKafkaWithUsers(users: readonly string[]): Promise<KafkaWithUsers> {
  const folder = await mkdtemp(join(tmpdir(), 'annals-users-'))
  const [port = 0, controllerPort = 0, loginPort = 0] = await freePorts(3)
  const passwords = users.map((user) => `user_${user}="${user}"`).join(' ')
  const broker = await startKafka({
    ...{ port, controllerPort, folder: join(folder, 'kafka'), logFile: join(folder, 'kafka.log') },
    report: () => undefined,
    settings: {
      listeners: `PLAINTEXT://127.0.0.1:${port},LOGIN://127.0.0.1:${loginPort},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},LOGIN://127.0.0.1:${loginPort}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
      'listener.name.login.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.login.plain.sasl.jaas.config': `${loginModule} required ${passwords};`,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    },
  })
  const address = `127.0.0.1:${loginPort}`
  return {
    openAddress: broker.address,
    login: (user) => ({
      ANNALS_KAFKA_BROKERS: address,
      ANNALS_KAFKA_SASL_MECHANISM: 'PLAIN',
      ANNALS_KAFKA_SASL_USERNAME: user,
      ANNALS_KAFKA_SASL_PASSWORD: user,
    }),
    grant: (rights) => grantRights(broker.address, rights),
    stop: async () => {
      await broker.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function grantRights(address: string, rights: readonly Right[]): Promise<void> {
  const admin = new Kafka({ brokers: [address] }).admin()
  await admin.connect()
  await admin.createAcls({
    acl: rights.map(({ user, resource, name, operation }) => ({
      resourceType: AclResourceTypes[resource],
      resourceName: resource === 'CLUSTER' ? 'kafka-cluster' : name.replace(/\*$/, ''),
      resourcePatternType: name.endsWith('*') ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
      ...{ principal: `User:${user}`, host: '*', permissionType: AclPermissionTypes.ALLOW },
      operation: AclOperationTypes[operation],
    })),
  })
  await admin.disconnect()
}
