import type { AnnalsClient } from '#client'
import type { AggregateStatistics } from '#projections'

import { customerLifetime, monthlyRevenue } from '../../examples/customers/projections.ts'
import { until } from '../stack/index.ts'
import type { Figures } from './known-figures.ts'

const catchUpMsMax = 120_000

/** What Annals serves now, through the public client. */
export async function servedFigures(annals: AnnalsClient): Promise<Figures> {
  const { events, streams } = await statisticsOf(annals)
  const [month] = (await annals.projection(monthlyRevenue).list({ ...highest('revenue'), limit: 1 })).views
  const top = (await annals.projection(customerLifetime).list({ ...highest('spend'), limit: 5 })).views
  return {
    events,
    streams,
    snapshots: await snapshotsOf(annals),
    topCustomers: top.map(({ key, view }) => [key, view.spend] as const),
    busiestMonth: [month?.key ?? '', month?.view.revenue ?? ''],
  }
}

/** Waits until projections and snapshots include all of these events, and reports progress. */
export async function caughtUp(
  annals: AnnalsClient,
  known: Pick<Figures, 'events' | 'snapshots'>,
  report: (line: string) => void,
): Promise<void> {
  let last = ''
  await until('projections and snapshots catch up', catchUpMsMax, async () => {
    const [lag, snapshots] = await Promise.all([lagOf(annals), snapshotsOf(annals)])
    const line = `Projections have ${lag} events left, ${snapshots} snapshots are taken`
    if (line !== last) report(line)
    last = line
    return lag === 0 && snapshots >= known.snapshots
  })
}

/** Whether all of these events are imported already. */
export const isImported = async (
  annals: AnnalsClient,
  { events }: Pick<Figures, 'events'>,
): Promise<boolean> => (await statisticsOf(annals)).events >= events

const highest = (orderBy: string) => ({ orderBy, descending: true })

async function statisticsOf(annals: AnnalsClient): Promise<Pick<AggregateStatistics, 'events' | 'streams'>> {
  const view = await annals.projection<AggregateStatistics>('aggregate-statistics').get('customer')
  return view?.view ?? { events: 0, streams: 0 }
}

async function lagOf(annals: AnnalsClient): Promise<number> {
  const projections = await annals.projections()
  return projections
    .flatMap(({ serving, generations }) => generations.filter(({ id }) => id === serving))
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, { lag }) => sum + lag, 0)
}

const snapshotsOf = async (annals: AnnalsClient): Promise<number> =>
  (await annals.snapshots()).find(({ aggregateType }) => aggregateType === 'customer')?.count ?? 0
