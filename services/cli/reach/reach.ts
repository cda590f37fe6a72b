import type { Action, Resource } from '#access'

/** A request to the HTTP API, in the words of libs/access. */
export interface ApiNeed {
  readonly service: 'writer' | 'snapshotter' | 'projector'
  /** One of them is enough. None: any valid credential is. */
  readonly actions: readonly Action[]
  readonly on?: Resource['kind']
  /** The option or setting that makes the command need it. Absent: always. */
  readonly when?: string
}

/** Names of Kafka's ACL operations. */
export type KafkaOperation = 'Read' | 'Write' | 'Create' | 'Delete' | 'Describe' | 'DescribeConfigs'

/** What an ACL of Kafka is about. */
export type KafkaResource = 'topics' | 'groups' | 'transactional ids' | 'cluster'

/** Rights (ACLs) in Kafka. */
export interface KafkaRight {
  readonly resource: KafkaResource
  /** With the default settings. A prefix if it ends with `*`. */
  readonly name: string
  readonly rights: readonly KafkaOperation[]
  /** The option or setting that makes the command need them. Absent: always. */
  readonly when?: string
}

/** What a command does with a server other than Kafka. */
export interface Use {
  /** `connects`: it neither reads nor writes, but fails if the server does not answer. */
  readonly does: 'connects' | 'reads' | 'writes'
  /** The option or setting that makes the command do it. Absent: always. */
  readonly when?: string
}

/** What a command reaches besides files of this machine. */
export interface CommandReach {
  readonly api?: readonly ApiNeed[]
  readonly kafka?: readonly KafkaRight[]
  /** Keys that begin with `{` and the prefix in ANNALS_REDIS_KEY_PREFIX. */
  readonly redis?: Use
  /** Schemas and their subjects. */
  readonly registry?: Use
  /** Views in PostgreSQL, if they are kept there. */
  readonly views?: Use
}

/** Whether a command reaches something without the HTTP API, so that no role limits it. */
export const isDirect = ({ kafka, redis, registry }: CommandReach): boolean =>
  kafka !== undefined || redis !== undefined || registry !== undefined
