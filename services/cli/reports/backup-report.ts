import type { BackupMade, BackupReport } from '#operations'

import type { CommandReport } from '../cli.ts'
import { failureOf } from '../failure.ts'
import { durationText, grouped } from '../progress/progress-text.ts'
import { ofCluster } from './cluster-report.ts'

/** The report of a backup. @param path the folder of the request. */
export function backupReport(path: string, made: BackupMade): CommandReport {
  const { removed = [], kept = [] } = made.retention ?? {}
  return ofCluster(made.cluster, {
    document: { ...documentOf(made), ...(made.retention !== undefined && { removed, kept }) },
    text: [
      ...textOf(path, made),
      ...(removed.length > 0 ? [`Removed ${removed.length} older chains: ${removed.join(', ')}`] : []),
      ...kept.map((why) => `Not removed: ${why}`),
    ].join('\n'),
  })
}

/** One backup of `--watch`, or a failure before its retry. */
export function watchedReport(path: string, report: BackupReport): CommandReport {
  if (report.status !== 'failed') return backupReport(path, report)
  const { retryMs } = report
  const { message } = failureOf(report.error)
  const next = `next try in ${durationText(retryMs / 1_000)}`
  return { document: { status: 'failed', message, retryMs }, text: `failed: ${message}; ${next}` }
}

function documentOf(made: BackupMade): object {
  const { status, warnings, tookMs } = made
  if (made.status === 'nothing-new') return { status, since: made.since, warnings }
  const { id, kind, events, bytes, topics } = made.manifest
  return {
    ...{ status, backup: id, kind, events, bytes, warnings, tookMs: Math.round(tookMs) },
    topics: topics.map(({ name, ranges }) => ({
      name,
      events: ranges.reduce((sum, range) => sum + range.events, 0),
    })),
  }
}

function textOf(path: string, made: BackupMade): string[] {
  if (made.status === 'nothing-new') return [`Nothing new since ${made.since}: no backup was added`]
  const { id, events, bytes, topics, kind } = made.manifest
  const seconds = made.tookMs / 1_000
  const rate = `${grouped(Math.round(events / seconds))} events/s`
  const headline = `Created ${id}: ${grouped(events)} events of ${topics.length} ${topics.length === 1 ? 'topic' : 'topics'}, ${grouped(bytes)} bytes, in ${seconds.toFixed(1)} s (${rate})`
  if (kind === 'incremental') return [headline]
  return [
    headline,
    'Not included: snapshots, projections and the data in Redis. Services rebuild them from the events',
    `To restore it: \`annals restore ${path}\``,
  ]
}
