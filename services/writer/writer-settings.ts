import type { Config } from '#config'

import type { PartitionSettings } from './partition/partition-writer.ts'
import type { LocalStoreSettings } from './store/local-store.ts'

/** Times in milliseconds, sizes in bytes, unless the name says otherwise. docs/configuration.md explains each. */
export interface WriterSettings extends PartitionSettings, LocalStoreSettings {
  readonly groupId: string
  readonly sessionTimeoutMs: number
  /** 0: partitions of a dead writer wait for the group. */
  readonly peerProbeIntervalMs: number
  readonly routingTimeoutMs: number
  readonly snapshotTtlSeconds: number
  /** Memory for recently used streams of all owned partitions. */
  readonly streamsBytesMax: number
  /** Memory for remembered event ids of all owned partitions. */
  readonly idsBytesMax: number
  /** Event ids that a partition remembers, to recognise a repeated append. */
  readonly rememberedIdsMax: number
  /** Memory for events that subscribers share. */
  readonly subscribersBytesMax: number
}

export const writerSettings = ({
  http,
  writer,
  index,
}: Pick<Config, 'http' | 'writer' | 'index'>): WriterSettings => ({
  groupId: writer.groupId,
  sessionTimeoutMs: writer.sessionTimeoutMs,
  peerProbeIntervalMs: writer.peerProbeIntervalMs,
  routingTimeoutMs: writer.routingTimeoutMs,
  readTimeoutMs: writer.readTimeoutMs,
  readsMax: writer.readsMax,
  appendTimeoutMs: writer.appendTimeoutMs,
  appendEventsMax: writer.appendEventsMax,
  appendBytesMax: writer.appendBytesMax,
  eventTypes: writer.eventTypes,
  queueEventsMax: writer.queueEventsMax,
  eventsMax: writer.batchEventsMax,
  bytesMax: writer.batchBytesMax,
  fenceRenewalMs: writer.fenceRenewalMs,
  snapshotTtlSeconds: Math.ceil(index.snapshotTtlMs / 1_000),
  streamsBytesMax: writer.streamsBytesMax,
  idsBytesMax: writer.idsBytesMax,
  rememberedIdsMax: index.rememberedIdsMax,
  subscribersBytesMax: http.subscribersBytesMax,
})
