import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, ResourcePatternTypes } from 'kafkajs'

import { freePorts, startKafka } from '../../../scripts/stack/index.ts'

type Operation = keyof typeof AclOperationTypes

/** A Kafka of its own that asks for rights: everybody has all of them on what nobody has set any for. */
export interface GuardedKafka {
  readonly address: string
  /** Gives everybody rights on a topic, and takes all that nobody has been given. */
  allow(topic: string, operations: readonly Operation[]): Promise<void>
  stop(): Promise<void>
}

const everybody = 'User:ANONYMOUS'

export async function startGuardedKafka(): Promise<GuardedKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'annals-guarded-'))
  const [port = 0, controllerPort = 0] = await freePorts(2)
  const broker = await startKafka({
    ...{ port, controllerPort, folder: join(folder, 'kafka'), logFile: join(folder, 'kafka.log') },
    report: () => undefined,
    settings: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'allow.everyone.if.no.acl.found': 'true',
    },
  })
  return {
    address: broker.address,
    allow: (topic, operations) => giveRights(broker.address, topic, operations),
    stop: async () => {
      await broker.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** One right that nobody needs is given in any case: where none is, everybody has all. */
async function giveRights(address: string, topic: string, operations: readonly Operation[]): Promise<void> {
  const admin = new Kafka({ brokers: [address] }).admin()
  await admin.connect()
  const right = (operation: Operation) => ({
    ...{ resourceType: AclResourceTypes.TOPIC, resourceName: topic, host: '*', principal: everybody },
    resourcePatternType: ResourcePatternTypes.LITERAL,
    permissionType: AclPermissionTypes.ALLOW,
    operation: AclOperationTypes[operation],
  })
  await admin.createAcls({ acl: (['CREATE', ...operations] as const).map(right) })
  await admin.disconnect()
}
