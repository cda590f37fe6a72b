import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

import { BackupError } from './backup-error.ts'

const count = Type.Integer({ minimum: 0 })
const text = Type.String({ minLength: 1 })
const sha256 = Type.RegExp(/^[0-9a-f]{64}$/)
const time = Type.RegExp(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
/** A path inside the folder of the backup: a damaged manifest cannot lead out of it. */
const path = Type.RegExp(/^[A-Za-z0-9_-][A-Za-z0-9._-]*\/[A-Za-z0-9_-][A-Za-z0-9._-]*$/)

const file = Type.Object({
  path,
  events: count,
  firstOffset: count,
  lastOffset: count,
  /** The compressed size on the disk. */
  bytes: count,
  sha256,
})

const range = Type.Object({
  partition: count,
  /** The first offset that was read: the end of the backup before. */
  from: count,
  /** Exclusive. */
  until: count,
  events: count,
  files: Type.Array(file),
})

const topic = Type.Object({
  name: text,
  role: Type.Union([Type.Literal('events'), Type.Literal('dead letters')]),
  /** Kafka's topic id. It changes if the topic is recreated. */
  topicId: text,
  partitions: Type.Integer({ minimum: 1 }),
  replication: Type.Integer({ minimum: 1 }),
  /** Settings of the topic that differ from the defaults of the cluster. */
  settings: Type.Record(Type.String(), Type.String()),
  /** Ordered by partition. */
  ranges: Type.Array(range),
})

const schema = Type.Object({ subject: text, version: count, id: count, text })

const manifest = Type.Object({
  format: Type.Literal('annals-backup'),
  formatVersion: Type.Literal(1),
  id: text,
  kind: Type.Union([Type.Literal('full'), Type.Literal('incremental')]),
  /** The backup that this one continues; absent for a full backup. */
  previous: Type.Optional(Type.Object({ id: text, sha256 })),
  startedAt: time,
  finishedAt: time,
  clusterId: Type.String(),
  topics: Type.Array(topic),
  /** All versions of the subjects whose schemas occur in the chain so far. */
  schemas: Type.Array(schema),
  /** Ids in values that the registry did not have. */
  unknownSchemaIds: Type.Array(count),
  /** The settings in force, without secrets. */
  configuration: Type.Record(Type.String(), Type.String()),
  events: count,
  bytes: count,
})

/** The manifest of a backup. docs/operations/backup.md describes it. */
export type Manifest = Static<typeof manifest>
export type BackedUpTopic = Manifest['topics'][number]
export type BackedUpRange = BackedUpTopic['ranges'][number]
export type BackedUpFile = BackedUpRange['files'][number]
export type BackedUpSchema = Manifest['schemas'][number]

export const manifestName = 'manifest.json'
/** Checksums of all files of a backup, in the format of `sha256sum --check`. */
export const checksumsName = 'SHA256SUMS'

export const manifestText = (value: Manifest): string => `${JSON.stringify(value, undefined, 2)}\n`

/** @param where the file, for error messages. @throws BackupError `damaged`, `unknown-format` */
export function parseManifest(text: string, where: string): Manifest {
  const parsed = jsonOf(text, where)
  const { format, formatVersion } = (parsed ?? {}) as { format?: unknown; formatVersion?: unknown }
  if (format === 'annals-backup' && formatVersion !== 1) {
    throw new BackupError(
      'unknown-format',
      `${where} has format version ${String(formatVersion)}, this version of Annals supports 1: use a later version`,
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

/** Ids of backups sort by time: `20261121T101500.123Z-full`. */
export const backupId = (kind: Manifest['kind'], startedAt: Date): string =>
  `${startedAt.toISOString().replaceAll(/[-:]/g, '')}-${kind}`

export const backupIdPattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)([\d.]{6}Z)-(full|incremental)$/

/** The start time in the id of a backup, in milliseconds; NaN for any other text. */
export const startMsOf = (id: string): number => Date.parse(id.replace(backupIdPattern, '$1-$2-$3T$4:$5:$6'))
