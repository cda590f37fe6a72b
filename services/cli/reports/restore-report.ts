import type { RestoreEnd, SettingDifference } from '#operations'

import type { Report } from '../cli.ts'
import { grouped } from '../progress/progress-text.ts'
import { ofCluster } from './cluster-report.ts'

type Planned = Extract<RestoreEnd, { readonly status: 'planned' }>
type Restored = Extract<RestoreEnd, { readonly status: 'restored' }>

/** What a restore did, or would do, for programs and for people. */
export function restoreReport(end: RestoreEnd): Report {
  if (end.status === 'interrupted') return interrupted
  return ofCluster(end.cluster, end.status === 'planned' ? planned(end) : restored(end))
}

const interrupted: Report = {
  document: { status: 'interrupted' },
  text: 'Interrupted, and nothing is lost: the same command goes on. Until it is done no service starts that has begun topics',
  exitCode: 130,
}

function planned({ plan, isResumed, settings }: Planned): Report {
  const { id, manifest, topics, events, schemas } = plan
  const rows = topics.map(
    ({ name, partitions, events: own }) => `  ${name}: ${grouped(own)} events in ${partitions} partitions`,
  )
  return {
    document: { status: 'planned', backup: id, ...countsOf(plan), resumes: isResumed, settings },
    text: [
      `${id} is whole, and would be restored as it was at ${manifest.startedAt}: ${grouped(events)} events, ${schemas.length} schemas`,
      ...rows,
      ...(isResumed ? ['It would go on with a restore that was interrupted'] : []),
      ...settingsText(settings),
      'Nothing was changed',
    ].join('\n'),
  }
}

function restored({ plan, isResumed, idsChanged, settings, tookMs }: Restored): Report {
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
        ? [`${idsChanged} schemas have another id in this registry: values name the new ones`]
        : []),
      ...settingsText(settings),
      'Start the services: they make index, snapshots and projections anew. Then run `annals verify`',
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
  const drawn = changed.map(
    ({ setting, there, here }) => `${setting} was ${there || 'not set'}, here ${here || 'not set'}`,
  )
  return [`Settings that were others there: ${drawn.join('; ')}`]
}
