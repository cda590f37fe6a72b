import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, ResourcePatternTypes } from 'kafkajs'

import { freePorts, startKafka } from '../../../scripts/stack/index.ts'

type Operation = keyof typeof AclOperationTypes

/** A separate Kafka with an authorizer. Every user has all rights on resources without ACLs. */
export interface GuardedKafka {
  readonly address: string
  /** Grants these rights on a topic to every user, and no others. */
  allow(topic: string, operations: readonly Operation[]): Promise<void>
  stop(): Promise<void>
}

const everyUser = 'User:ANONYMOUS'

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

/** Always grants one unused right, because without any ACL every user has all rights. */
async function giveRights(address: string, topic: string, operations: readonly Operation[]): Promise<void> {
  const admin = new Kafka({ brokers: [address] }).admin()
  await admin.connect()
  const right = (operation: Operation) => ({
    ...{ resourceType: AclResourceTypes.TOPIC, resourceName: topic, host: '*', principal: everyUser },
    resourcePatternType: ResourcePatternTypes.LITERAL,
    permissionType: AclPermissionTypes.ALLOW,
    operation: AclOperationTypes[operation],
  })
  await admin.createAcls({ acl: (['CREATE', ...operations] as const).map(right) })
  await admin.disconnect()
}
