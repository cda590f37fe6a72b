import type { IndexRebuild, RebuildStatus, RebuiltPartition } from '#operations'

import type { CommandReport } from '../cli.ts'
import { grouped } from '../progress/progress-text.ts'
import { table } from '../table.ts'
import { ofCluster } from './cluster-report.ts'

/** The report of an index rebuild. */
export function rebuildReport({ status: end, cluster, partitions, tookMs }: IndexRebuild): CommandReport {
  const isInterrupted = end === 'interrupted'
  const isStalled = partitions.some(({ status }) => status === 'stalled')
  const took = `in ${(tookMs / 1_000).toFixed(1)} s`
  const rows = partitions.map((it) => [
    it.topic,
    it.partition,
    it.status,
    grouped(it.streams),
    `${it.tookMs} ms`,
  ])
  return ofCluster(cluster, {
    document: { partitions, interrupted: isInterrupted, tookMs: Math.round(tookMs) },
    text: [
      ...(rows.length === 0 ? [] : [table(['topic', 'partition', 'index', 'streams', 'took'], rows)]),
      ...accepted(partitions),
      ...advice(partitions),
      isInterrupted
        ? `Interrupted ${took}: the index of the other partitions is unchanged. Run the command again for those`
        : `${partitions.length} partitions, ${took}`,
    ].join('\n'),
    exitCode: isInterrupted ? 130 : isStalled ? 1 : 0,
  })
}

const accepted = (partitions: readonly RebuiltPartition[]): string[] =>
  partitions.flatMap(({ topic, partition, acceptedBefore }) =>
    acceptedBefore === undefined
      ? []
      : [`${topic}/${partition} is served from offset ${acceptedBefore} on: the events before it are lost`],
  )

const advices: Partial<Record<RebuildStatus, string>> = {
  dropped: 'dropped: the partition has no owner; the writer that takes it over rebuilds the index',
  stalled: 'stalled: the owner makes no progress; see its log for the reason',
}

const advice = (partitions: readonly RebuiltPartition[]): string[] =>
  [...new Set(partitions.map(({ status }) => status))].flatMap((status) => advices[status] ?? [])
