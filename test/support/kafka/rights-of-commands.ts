import type { AclOperationTypes } from 'kafkajs'

import { commandReach } from '../../../services/cli/reach/command-reach.ts'
import type { KafkaRight } from '../../../services/cli/reach/reach.ts'
import type { Right } from './kafka-with-users.ts'

/** One ACL of a declared right. */
export interface DeclaredRight extends Omit<Right, 'user'> {
  /** As the declaration, the page and errors write it. */
  readonly text: { readonly right: string; readonly name: string }
}

const resources = {
  topics: 'TOPIC',
  groups: 'GROUP',
  'transactional ids': 'TRANSACTIONAL_ID',
  cluster: 'CLUSTER',
} as const

/**
 * The rights that a command declares for Kafka, one operation each.
 * @param conditions those that hold in this call, as in the declaration
 * @param target replaces `<name>`
 */
export const rightsOf = (path: string, conditions: readonly string[], target: string): DeclaredRight[] =>
  (commandReach[path]?.kafka ?? [])
    .filter(({ when }) => when === undefined || conditions.includes(when))
    .flatMap((right) => right.rights.map((operation) => rightOf(right, operation, target)))

const rightOf = ({ resource, name }: KafkaRight, right: string, target: string): DeclaredRight => ({
  resource: resources[resource],
  name: name.replace('<name>', target),
  operation: right.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase() as keyof typeof AclOperationTypes,
  text: { right, name },
})
