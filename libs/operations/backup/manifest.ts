import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

import { BackupError } from './backup-error.ts'

const count = Type.Integer({ minimum: 0 })
const text = Type.String({ minLength: 1 })
const sha256 = Type.RegExp(/^[0-9a-f]{64}$/)
const time = Type.RegExp(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
/** Inside of the backup's own folder: nothing that a damaged manifest says leads out of it. */
const path = Type.RegExp(/^[A-Za-z0-9_-][A-Za-z0-9._-]*\/[A-Za-z0-9_-][A-Za-z0-9._-]*$/)

const file = Type.Object({
  path,
  events: count,
  firstOffset: count,
  lastOffset: count,
  /** As it stands on the disk, compressed. */
  bytes: count,
  sha256,
})

const range = Type.Object({
  partition: count,
  /** The first offset that was looked at: where the backup before ended. */
  from: count,
  /** The first one that was not. */
  until: count,
  events: count,
  files: Type.Array(file),
})

const topic = Type.Object({
  name: text,
  role: Type.Union([Type.Literal('events'), Type.Literal('dead letters')]),
  /** Kafka's own: another one than before is another topic under the same name. */
  topicId: text,
  partitions: Type.Integer({ minimum: 1 }),
  replication: Type.Integer({ minimum: 1 }),
  /** What the topic has for settings of its own. */
  settings: Type.Record(Type.String(), Type.String()),
  /** By number of the partition. */
  ranges: Type.Array(range),
})

const schema = Type.Object({ subject: text, version: count, id: count, text })

const manifest = Type.Object({
  format: Type.Literal('annals-backup'),
  formatVersion: Type.Literal(1),
  id: text,
  kind: Type.Union([Type.Literal('full'), Type.Literal('incremental')]),
  /** The one that this continues; none of a full one. */
  previous: Type.Optional(Type.Object({ id: text, sha256 })),
  startedAt: time,
  finishedAt: time,
  clusterId: Type.String(),
  topics: Type.Array(topic),
  /** All that the values of the chain so far were written by: all versions of their subjects. */
  schemas: Type.Array(schema),
  /** Ids that values name and the registry did not know. */
  unknownSchemaIds: Type.Array(count),
  /** The settings in force, without secrets. */
  configuration: Type.Record(Type.String(), Type.String()),
  events: count,
  bytes: count,
})

/** What is in one backup. docs/operations/backup.md describes it. */
export type Manifest = Static<typeof manifest>
export type BackedUpTopic = Manifest['topics'][number]
export type BackedUpRange = BackedUpTopic['ranges'][number]
export type BackedUpFile = BackedUpRange['files'][number]
export type BackedUpSchema = Manifest['schemas'][number]

export const manifestName = 'manifest.json'
/** Of all files of a backup, as `sha256sum --check` takes them. */
export const checksumsName = 'SHA256SUMS'

export const manifestText = (value: Manifest): string => `${JSON.stringify(value, undefined, 2)}\n`

/** @param where for people. @throws BackupError `damaged`, `unknown-format` */
export function parseManifest(text: string, where: string): Manifest {
  const parsed = jsonOf(text, where)
  const { format, formatVersion } = (parsed ?? {}) as { format?: unknown; formatVersion?: unknown }
  if (format === 'annals-backup' && formatVersion !== 1) {
    throw new BackupError(
      'unknown-format',
      `${where} is of format version ${String(formatVersion)}, this Annals knows 1: use a later one`,
    )
  }
  if (Value.Check(manifest, parsed)) return parsed
  const first = Value.Errors(manifest, parsed).First()
  throw new BackupError(
    'damaged',
    `${where} is not the manifest of a backup: ${first?.path || '/'}: ${first?.message ?? 'malformed'}`,
  )
}

function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new BackupError('damaged', `${where} is not JSON: it is damaged`, { cause })
  }
}

/** Names of backups sort by time: `20261121T101500.123Z-full`. */
export const backupId = (kind: Manifest['kind'], startedAt: Date): string =>
  `${startedAt.toISOString().replaceAll(/[-:]/g, '')}-${kind}`

export const backupIdPattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)([\d.]{6}Z)-(full|incremental)$/

/** When a backup of this name was begun; NaN for another name. */
export const startMsOf = (id: string): number => Date.parse(id.replace(backupIdPattern, '$1-$2-$3T$4:$5:$6'))
