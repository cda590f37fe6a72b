import type { Writable } from 'node:stream'

import { abortable } from '#async'
import type { Config } from '#config'
import { EventFormat } from '#event-log'
import { type KafkaCluster, topicConfigs, type TopicDescription, Topics } from '#kafka'
import { loadDomain, openCodec } from '#service'

import { eventLines, type LineFormat } from './event-lines.ts'
import { type FileStart, openFile } from './file-output.ts'
import { type LineOutput, LineTarget } from './line-target.ts'
import { OperationError } from '../operation-error.ts'
import type { ReplayRequest } from './replay-request.ts'
import type { ReplayTarget } from './replay-target.ts'
import { NoOutput, StreamOutput } from './stream-output.ts'
import { TopicTarget } from './topic-target.ts'

interface TargetParts {
  readonly config: Config
  readonly cluster: KafkaCluster
  readonly source: { readonly name: string; readonly partitions: number }
  readonly request: ReplayRequest
  /** Receives the lines of a request without a file. */
  readonly lines: Writable
  /** The size of the file in the checkpoint; undefined: the replay is not resumed. */
  readonly fileBytes: number | undefined
  /** After it has aborted, nothing is created or truncated. */
  readonly signal: AbortSignal
}

type LineParts = Omit<TargetParts, 'cluster'>

/** A target, and warnings about it for the operator. */
interface OpenTarget {
  readonly target: ReplayTarget
  readonly warnings: readonly string[]
}

/** Opens the target of a replay. @throws OperationError, LogError, SchemaError, InvalidInputError; the reason of the signal. */
export async function openTarget(parts: TargetParts): Promise<OpenTarget> {
  const { destination, dryRun } = parts.request
  if (destination.kind !== 'topic') return openLines(parts, destination.format)
  if (dryRun) return { target: counting, warnings: [] }
  return openTopic(parts, destination)
}

/** Counts the records that would be copied. */
const counting: ReplayTarget = {
  write(_partition, records, written) {
    written({ events: records.length, leftOut: [] })
    return Promise.resolve()
  },
  settle: (save) => save(0),
  close: () => Promise.resolve(),
}

/** Opens a target for lines. @throws OperationError, SchemaError, InvalidInputError; the reason of the signal. */
export async function openLines(parts: LineParts, format: LineFormat): Promise<OpenTarget> {
  const { config, source, request, signal } = parts
  const domain = await loadDomain(config.domain.modules)
  const codec = await abortable(signal, () => openCodec(config, domain, { push: false }))
  const target = new LineTarget({
    topic: source.name,
    format: new EventFormat(codec),
    line: eventLines[format],
    output: await openOutput(parts),
    skipUnreadable: request.skipUnreadable,
  })
  return { target, warnings: [] }
}

async function openOutput({ request, lines, fileBytes }: LineParts): Promise<LineOutput> {
  const { destination, dryRun, overwrite } = request
  if (dryRun) return new NoOutput()
  if (destination.kind !== 'file') return new StreamOutput(lines)
  const begin: FileStart = overwrite ? 'overwrite' : 'fresh'
  return openFile(destination.path, fileBytes === undefined ? begin : { fileBytes })
}

/** The maximum size of the header that a replay adds. */
const addedBytesMax = 16 << 10

async function openTopic(
  { config, cluster, source, request, signal }: TargetParts,
  { name, create }: { readonly name: string; readonly create: boolean },
): Promise<OpenTarget> {
  const topics = new Topics(cluster, request.timeoutMs)
  const [existing] = await abortable(signal, () => topics.describe([name]))
  if (existing === undefined && !create) {
    const message = `topic ${name} does not exist: create it, or add --create (${source.partitions} partitions, as ${source.name})`
    throw new OperationError('unknown-topic', message)
  }
  const { replication, minInsyncReplicas, messageBytesMax } = config.kafka
  const configs = {
    ...topicConfigs.events,
    'min.insync.replicas': String(minInsyncReplicas),
    'max.message.bytes': String(messageBytesMax + addedBytesMax),
  }
  const spec = { name, partitions: source.partitions, replication, configs }
  const [made] = existing === undefined ? await topics.ensure([spec]) : [existing]
  const found = made as TopicDescription
  const target = {
    name,
    partitions: found.partitions,
    messageBytesMax: Number(found.configs['max.message.bytes']),
  }
  return {
    target: new TopicTarget({ cluster, source: source.name, target, timeoutMs: request.timeoutMs }),
    warnings: retentionWarnings(found),
  }
}

/** Replayed records keep their times, so a topic may delete them immediately. */
function retentionWarnings({ name, configs }: TopicDescription): string[] {
  const { 'cleanup.policy': policy = '', 'retention.ms': retentionMs = '-1' } = configs
  if (policy.includes('compact')) return [`${name} is compacted: it keeps only the last event of each stream`]
  if (retentionMs === '-1') return []
  const days = Math.floor(Number(retentionMs) / 86_400_000)
  return [
    `${name} deletes records older than ${days} days (retention.ms), and replayed events keep their times`,
  ]
}
