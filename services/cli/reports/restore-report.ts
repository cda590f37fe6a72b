import type { RestoreEnd, SettingDifference } from '#operations'

import type { CommandReport } from '../cli.ts'
import { grouped } from '../progress/progress-text.ts'
import { ofCluster } from './cluster-report.ts'

type Planned = Extract<RestoreEnd, { readonly status: 'planned' }>
type Restored = Extract<RestoreEnd, { readonly status: 'restored' }>

/** The report of a restore or its dry run. */
export function restoreReport(end: RestoreEnd): CommandReport {
  if (end.status === 'interrupted') return interrupted
  return ofCluster(end.cluster, end.status === 'planned' ? planned(end) : restored(end))
}

const interrupted: CommandReport = {
  document: { status: 'interrupted' },
  text: 'Interrupted; nothing is lost: the same command resumes. Until the restore is done, services of the affected types do not start',
  exitCode: 130,
}

function planned({ plan, isResumed, settings }: Planned): CommandReport {
  const { id, manifest, topics, events, schemas } = plan
  const rows = topics.map(
    ({ name, partitions, events: own }) => `  ${name}: ${grouped(own)} events in ${partitions} partitions`,
  )
  return {
    document: { status: 'planned', backup: id, ...countsOf(plan), resumes: isResumed, settings },
    text: [
      `${id} is intact. Its state at ${manifest.startedAt} would be restored: ${grouped(events)} events, ${schemas.length} schemas`,
      ...rows,
      ...(isResumed ? ['An interrupted restore would be resumed'] : []),
      ...settingsText(settings),
      'Nothing was changed',
    ].join('\n'),
  }
}

function restored({ plan, isResumed, idsChanged, settings, tookMs }: Restored): CommandReport {
  const { id, events, topics } = plan
  const seconds = tookMs / 1_000
  const rate = grouped(Math.round(events / seconds))
  return {
    document: {
      ...{ status: 'restored', backup: id, ...countsOf(plan), resumed: isResumed, idsChanged },
      settings,
      tookMs: Math.round(tookMs),
    },
    text: [
      `Restored ${id}: ${grouped(events)} events of ${topics.length} topics, each compared, in ${seconds.toFixed(1)} s (${rate} events/s)`,
      ...(idsChanged > 0
        ? [`${idsChanged} schemas have a different id in this registry: restored values contain the new ids`]
        : []),
      ...settingsText(settings),
      'Start the services: they rebuild index, snapshots and projections. Then run `annals verify`',
    ].join('\n'),
  }
}

const countsOf = ({ topics, events, schemas }: Restored['plan']) => ({
  events,
  schemas: schemas.length,
  topics: topics.map(({ name, partitions, events: own }) => ({ name, partitions, events: own })),
})

function settingsText(changed: readonly SettingDifference[]): string[] {
  if (changed.length === 0) return []
  const differences = changed.map(
    ({ setting, there, here }) => `${setting} was ${there || 'not set'}, here ${here || 'not set'}`,
  )
  return [`Settings that differ from those of the backup: ${differences.join('; ')}`]
}
